// A run that takes too long is cancelled, and can be run again.
import assert from 'node:assert/strict'

import { scan } from '../lib/scans.mjs'

export const options = { relayed: true }

export default async function (visit) {
  const { relay } = visit.deployment
  await visit.choose(scan)
  const in_the_middle = relay.hold_after(100_000)
  await visit.by('run').click()
  await in_the_middle
  assert.ok(await visit.by('run').isDisabled())
  assert.ok(await visit.by('file-input').isDisabled())
  await visit.by('cancel').click()
  assert.equal(await visit.failure(), 'Cancelled.')
  await visit.shot('cancelled')
  relay.cut()
  await visit.by('run-error').getByTestId('retry').click()
  await visit.by('result').waitFor()
  assert.equal(await visit.text('result-label'), 'LANG-BROCA')
}
