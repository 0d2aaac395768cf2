// A browser that cannot draw: everything but the pictures works, and the page says so.
import assert from 'node:assert/strict'

import { scan } from '../lib/scans.mjs'

export const options = { more_flags: ['--disable-3d-apis'] }

export default async function (visit) {
  assert.match(await visit.text('viewer-note'), /no WebGL 2/)
  await visit.choose(scan)
  await visit.run_to_result()
  assert.equal(await visit.text('result-label'), 'LANG-BROCA')
  await visit.shot('result')
}
