// What a person does on the page, by the hooks of tools/web/README.md.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

import { until } from './process.mjs'

export class Visit {
  constructor(watched, deployment) {
    this.watched = watched
    this.deployment = deployment
    this.page = watched.page
  }

  by(hook) {
    return this.page.getByTestId(hook)
  }

  async text(hook) {
    return (await this.by(hook).innerText()).replaceAll(/[\u00ad\u200b]/g, '').trim()
  }

  /** Waits until an attribute of a hook is `value`. */
  async has(hook, attribute, value) {
    await until(async () => (await this.by(hook).getAttribute(attribute)) === value, `${hook} with ${attribute} ${value}`)
  }

  async choose(file, verdict = 'same') {
    await this.by('file-input').setInputFiles(file)
    await this.has('grid-check', 'data-verdict', verdict)
  }

  brain_is_there() {
    return until(() => this.by('viewer-note').isHidden(), 'the brain that maps are shown over')
  }

  async picture_is_there() {
    await this.brain_is_there()
    await until(async () => /value -?\d/.test(await this.text('value')), "the peak's value")
  }

  async run_to_result() {
    await this.by('run').click()
    await this.by('result').waitFor()
    await this.has('step-result', 'data-state', 'done')
  }

  async failure() {
    await this.by('run-error').getByTestId('error').waitFor()
    return (await this.by('run-error').getByTestId('error-message').innerText()).trim()
  }

  /** The events of a run, as the page got them. */
  async events(run) {
    const text = await this.page.evaluate(async (n) => (await fetch(`api/run/${n}/events`)).text(), run)
    return [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name, data]) => ({ name, data: JSON.parse(data) }))
  }

  /** A file that a click, or a key, saves. */
  async saved(act) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), act()])
    return { name: download.suggestedFilename(), content: await readFile(await download.path(), 'utf8') }
  }

  shot(name) {
    return this.watched.shot(name)
  }

  async expect_no_sideways_scroll() {
    const [whole, seen] = await this.page.evaluate(() => {
      const root = document.documentElement
      return [Math.max(root.scrollWidth, document.body.scrollWidth), root.clientWidth]
    })
    assert.ok(whole <= seen, `the page is ${whole} pixels wide in a window of ${seen}`)
    const boxes = await this.page.$$eval('.scroll', (all) => all.map((box) => [box.scrollWidth, box.clientWidth]))
    for (const [inside, shown] of boxes) assert.ok(inside <= shown, `a table of ${inside} pixels is shown in ${shown}`)
  }
}
