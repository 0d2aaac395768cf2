// From file to saved report with the keyboard alone, and every stop on the way can be seen.
import assert from 'node:assert/strict'

import { scan4d } from '../lib/scans.mjs'

const focused = (visit) => visit.page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '')

async function tab_to(visit, hook, key = 'Tab') {
  for (let presses = 0; presses < 80; ++presses) {
    await visit.page.keyboard.press(key)
    if ((await focused(visit)) === hook) return expect_seen(visit, hook)
  }
  throw new Error(`expected ${key} to come to ${hook}`)
}

/** What has the focus, or what stands for it, looks different for it. */
async function expect_seen(visit, hook) {
  const seen = await visit.page.evaluate(() => {
    for (let e = document.activeElement; e !== null && e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e)
      if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) return true
      if (style.boxShadow !== 'none') return true
      if (!e.matches(':focus-within') || e.tagName === 'SECTION') return false
    }
    return false
  })
  assert.ok(seen, `the focus on ${hook} cannot be seen`)
}

/** The dialog that Enter opens. A key gives the right to open one for a few seconds only, and a browser on a busy machine
 * can let them pass: then nothing happens, and one presses again. */
async function file_dialog({ page }) {
  for (let presses = 0; presses < 10; ++presses) {
    const opened = page.waitForEvent('filechooser', { timeout: 6_000 }).catch(() => null)
    await page.keyboard.press('Enter')
    const chooser = await opened
    if (chooser !== null) return chooser
  }
  throw new Error('expected Enter to open the dialog for a file')
}

export default async function (visit) {
  const { page } = visit
  await visit.brain_is_there()
  await tab_to(visit, 'file-input')
  const chooser = await file_dialog(visit)
  await chooser.setFiles(scan4d)
  await visit.has('grid-check', 'data-verdict', 'same')
  await visit.picture_is_there()

  await tab_to(visit, 'volume-number')
  await page.keyboard.press('ArrowUp')
  assert.equal(await visit.by('volume-number').inputValue(), '1')
  await tab_to(visit, 'volume-one')
  await page.keyboard.press('ArrowDown')
  assert.ok(await visit.by('volume-all').isChecked())

  await tab_to(visit, 'canvas')
  const before = Number(await visit.by('x').inputValue())
  await page.keyboard.press('ArrowLeft')
  assert.notEqual(Number(await visit.by('x').inputValue()), before)
  await visit.shot('canvas')

  await tab_to(visit, 'run')
  await page.keyboard.press('Enter')
  await visit.by('results').waitFor()
  assert.equal(await focused(visit), 'result') // where there is something new to read
  await tab_to(visit, 'report')
  const report = await visit.saved(() => page.keyboard.press('Enter'))
  assert.equal(report.name, 'scan4d-volume-1.html')
  await tab_to(visit, 'csv')
  await tab_to(visit, 'sort-label')
  await page.keyboard.press('Enter')
  assert.equal(await page.locator('th.label').getAttribute('aria-sort'), 'ascending')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter') // the first row's button
  assert.equal(await visit.by('results').locator('tbody tr').first().getAttribute('aria-current'), 'true')
  await visit.shot('row')
  await tab_to(visit, 'run', 'Shift+Tab')
}
