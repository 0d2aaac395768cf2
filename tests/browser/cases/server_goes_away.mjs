// The server dies in the middle of an inference, and comes back.
import assert from 'node:assert/strict'

import { scan4d } from '../lib/scans.mjs'

export const options = { relayed: true }

export default async function (visit) {
  const { deployment } = visit
  await visit.choose(scan4d)
  await visit.by('volume-all').check()
  // Masked volumes are the only thing that a client sends so much of: the first message of the inference is on its way.
  const in_the_middle = deployment.relay.hold_after(1_000_000)
  await visit.by('run').click()
  await in_the_middle
  await visit.has('step-inference', 'data-state', 'active')
  await visit.shot('in-the-middle')
  await deployment.server.kill()
  deployment.relay.cut()
  const shown = await visit.failure()
  const { name, data } = (await visit.events(1)).at(-1)
  assert.equal(name, 'failed')
  assert.equal(data.error.exit_code, 4)
  assert.equal(shown, data.error.message)
  await visit.has('step-inference', 'data-state', 'failed')
  await visit.shot('gone')

  await deployment.start_server()
  await visit.by('run-error').getByTestId('retry').click()
  await visit.by('results').waitFor()
  assert.equal(await visit.by('run-error').getByTestId('error').count(), 0)
  assert.equal((await visit.events(2)).at(-1).data.results.length, 20)
}
