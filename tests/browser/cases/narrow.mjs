// A window as narrow as a telephone: all of it without scrolling sideways.
import { scan4d } from '../lib/scans.mjs'

export const options = { viewport: { width: 360, height: 740 } }

export default async function (visit) {
  await visit.expect_no_sideways_scroll()
  await visit.choose(scan4d)
  await visit.picture_is_there()
  await visit.expect_no_sideways_scroll()
  await visit.shot('chosen')
  await visit.by('volume-all').check()
  await visit.run_to_result()
  await visit.expect_no_sideways_scroll()
  await visit.shot('result')
  await visit.deployment.dealer.stop()
  await visit.by('run').click()
  await visit.failure()
  await visit.expect_no_sideways_scroll()
  await visit.shot('failure')
}
