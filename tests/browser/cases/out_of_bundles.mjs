// The dealer is gone and nothing is stored; then it is back.
import assert from 'node:assert/strict'

import { scan } from '../lib/scans.mjs'

export default async function (visit) {
  const { deployment } = visit
  await visit.choose(scan)
  await deployment.dealer.stop()
  await visit.by('run').click()
  const shown = await visit.failure()
  const { err, code } = await deployment.client('--image', scan)
  assert.equal(code, 5)
  assert.equal(`smpc-client: ${shown}`, err.trim())
  assert.match(shown, /^no correlated randomness: /)
  await visit.has('step-randomness', 'data-state', 'failed')
  await visit.shot('no-dealer')

  await deployment.start_dealer()
  await visit.by('run-error').getByTestId('retry').click()
  await visit.by('result').waitFor()
  assert.equal(await visit.text('result-label'), 'LANG-BROCA')
}
