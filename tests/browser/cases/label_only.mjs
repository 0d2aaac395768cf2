// A model's owner who reveals the label and no more: no probability is shown, nor invented.
import assert from 'node:assert/strict'

import { scan4d } from '../lib/scans.mjs'

export const options = { server: ['--reveal', 'label'] }

export default async function (visit) {
  await visit.choose(scan4d)
  await visit.by('volume-all').check()
  await visit.run_to_result()
  const { results } = (await visit.events(1)).at(-1).data
  assert.equal(await visit.text('result-label'), results[0].label)
  await visit.by('label-only').waitFor()
  assert.equal(await visit.by('top').count(), 0)
  assert.equal(await visit.by('sort-probability').count(), 0)
  assert.doesNotMatch(await visit.text('result'), /%/)
  await visit.shot('label')
}
