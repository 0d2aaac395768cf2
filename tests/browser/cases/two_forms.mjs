// A scan whose header says two places is shown at the one that is computed with, and both are told.
import assert from 'node:assert/strict'

import { scan, two_forms } from '../lib/scans.mjs'

// Of the voxel that is farthest from zero, in millimetres, as the picture has it.
async function peak(visit) {
  await visit.by('peak').click()
  return Promise.all(['x', 'y', 'z'].map((axis) => visit.by(axis).inputValue()))
}

export default async function (visit) {
  await visit.choose(scan)
  await visit.picture_is_there()
  const expected = await peak(visit)
  assert.notEqual(Number(expected[0]), 90) // not on the axis of the mirror
  await visit.choose(await two_forms(visit.deployment.folder))
  await visit.picture_is_there()
  assert.match(await visit.text('grid-check'), /qform and its sform differ/)
  assert.deepEqual(await peak(visit), expected)
  await visit.shot('two_forms')
  await visit.run_to_result()
  assert.match(await visit.text('caution'), /the sform was taken/)
}
