// A scan of one volume: chosen, seen, run, read, saved.
import assert from 'node:assert/strict'

import { scan } from '../lib/scans.mjs'

export default async function (visit) {
  const { deployment } = visit
  assert.match(await visit.text('run-reason'), /Choose a scan first/)
  assert.ok(await visit.by('run').isDisabled())
  await visit.shot('empty')

  await visit.choose(scan)
  assert.equal(await visit.text('scan-name'), 'scan.nii.gz')
  assert.match(await visit.text('scan-facts'), /45 × 54 × 45/)
  await visit.picture_is_there()
  await visit.shot('chosen')

  await visit.run_to_result()
  const [{ data }] = (await visit.events(1)).slice(-1)
  const [{ label, probability, top }] = data.results
  assert.equal(label, 'LANG-BROCA')
  assert.ok(probability > 0.99)
  assert.equal(await visit.text('result-label'), label)
  const bars = await visit.by('top').getByRole('listitem').allInnerTexts()
  assert.equal(bars.length, 5)
  top.forEach((one, i) => assert.ok(bars[i].replaceAll(/[\u00ad\u200b\n]/g, '').includes(one.label)))
  for (const party of ['client', 'server', 'dealer']) assert.equal(await visit.text(`learned-${party}`), data.learned[party])
  for (const step of ['randomness', 'masking', 'inference', 'result']) await visit.has(`step-${step}`, 'data-state', 'done')
  const program = (await deployment.client('--image', scan, '--json')).out
  assert.equal(data.program, JSON.parse(program).program)
  assert.deepEqual(data.results[0].logits, JSON.parse(program).results[0].logits) // the command line's, to the last digit
  await visit.shot('result')

  const report = await visit.saved(() => visit.by('report').click())
  assert.equal(report.name, 'scan-volume-0.html')
  for (const text of [label, data.program, data.server]) assert.ok(report.content.includes(text), text)
}
