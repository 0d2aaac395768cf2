// Runs one case of cases/ in a browser, against processes of its own: node run.mjs CASE. Prints "SKIPPED: ..." where what
// it needs is not there.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { find_chromium, find_playwright, Watched } from './lib/browser.mjs'
import { Deployment } from './lib/deployment.mjs'
import { Visit } from './lib/visit.mjs'

function what_is_missing() {
  if (find_chromium() === null) return "chromium is not installed (Debian's package chromium)"
  if (find_playwright() === null) return 'playwright-core could not be installed (npm ci)'
  if (!existsSync(join(process.env.SMPC_BIN_DIR, '../share/smpc/web/index.html'))) return 'the page was not built (node and npm)'
  return null
}

const name = process.argv[2]
const missing = what_is_missing()
if (missing !== null) {
  console.log(`SKIPPED: ${missing}`)
  process.exit(0)
}

const { options = {}, default: body } = await import(`./cases/${name}.mjs`)
const pictures = join(process.env.SMPC_BROWSER_OUTPUT, name)
await rm(pictures, { recursive: true, force: true })
const deployment = await Deployment.start(options)
try {
  const watched = await Watched.open(deployment.url, pictures, options)
  try {
    await body(new Visit(watched, deployment))
    assert.deepEqual(watched.strangers(), [], 'requests to other places than the page')
    assert.deepEqual(watched.unexpected(), [], 'complaints of the browser')
    assert.ok(watched.requests.length > 3)
  } catch (error) {
    await watched.shot('where-it-failed')
    console.log(watched.complaints)
    throw error
  } finally {
    await watched.close()
  }
} finally {
  await deployment.stop()
}
console.log(`pictures are in ${pictures}`)
