// What is not on the model's grid is told before anything is sent, and brought there where that is asked for.
import assert from 'node:assert/strict'

import { broken, flipped, scan, shifted } from '../lib/scans.mjs'

export default async function (visit) {
  const { deployment } = visit
  const expected = JSON.parse((await deployment.client('--image', scan, '--json')).out).results

  await visit.choose(await shifted(deployment.folder), 'other')
  assert.match(await visit.text('grid-check'), /Shifted by \(2, 0, 0\) mm/)
  assert.ok(await visit.by('run').isDisabled())
  await visit.shot('shifted')
  await visit.by('resample').check()
  await visit.run_to_result()
  assert.match(await visit.text('resampling'), /trilinear interpolation/)
  assert.equal(await visit.text('result-label'), 'LANG-BROCA')
  await visit.shot('resampled')

  await visit.choose(await flipped(deployment.folder), 'reoriented')
  assert.ok(await visit.by('run').isDisabled())
  await visit.by('resample').check()
  await visit.run_to_result()
  assert.deepEqual((await visit.events(2)).at(-1).data.results, expected) // the same voxels, so the same bits

  const file = await broken(deployment.folder)
  await visit.choose(file, 'refused')
  const shown = (await visit.by('scan-error').getByTestId('error-message').innerText()).trim()
  const { err, code } = await deployment.client('--image', file)
  assert.equal(code, 3)
  assert.equal(`smpc-client: ${deployment.folder}/${shown}`, err.trim()) // the command line's very words
  assert.ok(await visit.by('run').isDisabled())
  await visit.shot('refused')

  await visit.choose(scan) // a good one mends it
  assert.ok(await visit.by('run').isEnabled())
}
