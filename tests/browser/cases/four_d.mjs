// A scan of twenty volumes: one of them, then all; the table sorted and saved.
import assert from 'node:assert/strict'

import { scan4d } from '../lib/scans.mjs'

const column = async (visit, name) => (await visit.by('results').locator(`tbody td.${name}`).allInnerTexts()).map((t) => t.replaceAll(/[\u00ad\u200b\n]/g, '').trim())

export default async function (visit) {
  await visit.choose(scan4d)
  await visit.picture_is_there()
  await visit.by('volume-number').fill('7')
  await visit.shot('chosen')
  await visit.run_to_result()
  const one = (await visit.events(1)).at(-1).data.results
  assert.deepEqual(one.map((r) => r.volume), [7])

  await visit.by('volume-all').check()
  assert.equal(await visit.text('run'), 'Run all 20 volumes')
  await visit.by('run').click()
  await visit.by('results').waitFor()
  const { results } = (await visit.events(2)).at(-1).data
  const { out } = await visit.deployment.client('--image', scan4d, '--volume', 'all', '--json')
  assert.deepEqual(results, JSON.parse(out).results)
  assert.deepEqual(await column(visit, 'volume'), results.map((r) => String(r.volume)))
  assert.deepEqual(await column(visit, 'label'), results.map((r) => r.label))
  await visit.shot('table')

  await visit.by('sort-label').click()
  const labels = results.map((r) => r.label)
  assert.deepEqual(await column(visit, 'label'), [...labels].sort((a, b) => a.localeCompare(b)))
  await visit.by('sort-probability').click()
  const surest = [...results].sort((a, b) => b.probability - a.probability)[0]
  assert.equal((await column(visit, 'volume'))[0], String(surest.volume))
  await visit.by('sort-volume').click()
  await visit.by('sort-volume').click()
  assert.equal((await column(visit, 'volume'))[0], '19')

  await visit.by('row-3').click()
  await visit.has('row-3', 'aria-current', 'true')
  assert.equal(await visit.text('result-label'), results[3].label)
  assert.equal(await visit.by('volume-number').inputValue(), '3')
  const report = await visit.saved(() => visit.by('report').click())
  assert.equal(report.name, 'scan4d-volume-3.html')

  const csv = await visit.saved(() => visit.by('csv').click())
  assert.equal(csv.name, 'scan4d.csv')
  const lines = csv.content.trimEnd().split('\n')
  assert.equal(lines.length, 21)
  results.forEach((r, i) => assert.ok(lines[i + 1].startsWith(`${r.volume},${r.index},${r.label},${r.probability},`), lines[i + 1]))
}
