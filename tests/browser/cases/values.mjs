// A model whose results are no probabilities: nothing is called one, nor shown in per cent.
import assert from 'node:assert/strict'

import { scan4d } from '../lib/scans.mjs'

export const options = { unnamed: true }

export default async function (visit) {
  await visit.choose(scan4d)
  await visit.by('volume-all').check()
  await visit.run_to_result()
  const result = (await visit.events(1)).at(-1).data
  assert.equal(result.output, 'values')
  assert.match(await visit.text('model'), /with values/)
  const [first] = result.results
  assert.equal(await visit.text('result-label'), first.label)
  assert.equal(first.probability, undefined)
  assert.match(await visit.text('result-value'), new RegExp(`^Its value is .*, the largest of ${first.values.length} that the model gives.$`))
  assert.equal(await visit.by('top').count(), 0)
  assert.equal(await visit.by('label-only').count(), 0)
  assert.equal(await visit.by('sort-probability').count(), 0)
  assert.doesNotMatch(await visit.text('result'), /%|probab/i)
  await visit.shot('values')
}
