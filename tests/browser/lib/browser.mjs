// Debian's chromium, and a page in it that is watched: every request, every complaint.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

const modules = process.env.SMPC_BROWSER_MODULES

export function find_chromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, 'chromium')).find(existsSync) ?? null
}

export function find_playwright() {
  try {
    return createRequire(join(modules, 'modules'))('playwright-core')
  } catch {
    return null
  }
}

// No address but this machine's can be looked up, so nothing could leave it even if the page tried.
const flags = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
]

export class Watched {
  /** A page of the given size at `url`; pictures of it go to `pictures`. */
  static async open(url, pictures, { viewport = { width: 1280, height: 900 }, more_flags = [] } = {}) {
    const w = new Watched()
    w.url = url
    w.pictures = pictures
    w.requests = []
    w.complaints = []
    w.count = 0
    await mkdir(pictures, { recursive: true })
    w.browser = await find_playwright().chromium.launch({ executablePath: find_chromium(), args: [...flags, ...more_flags] })
    w.context = await w.browser.newContext({ viewport, acceptDownloads: true })
    w.context.setDefaultTimeout(60_000)
    w.context.on('request', (request) => w.requests.push(request.url()))
    w.page = await w.context.newPage()
    w.page.on('websocket', (socket) => w.requests.push(socket.url()))
    w.page.on('pageerror', (error) => w.complaints.push(String(error)))
    w.page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') w.complaints.push(message.text())
    })
    await w.page.goto(url)
    return w
  }

  /** As it is seen, in light and in dark; and all of it, from top to bottom. */
  async shot(name) {
    const path = (what) => join(this.pictures, `${number}-${name}-${what}.png`)
    const number = String(++this.count).padStart(2, '0')
    for (const colorScheme of ['dark', 'light']) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await this.page.screenshot({ path: path(colorScheme) })
    }
    const where = await this.page.evaluate(() => scrollY)
    await this.page.evaluate(() => scrollTo(0, 0)) // what sticks to the window stands in its place then
    await this.page.screenshot({ path: path('whole'), fullPage: true })
    await this.page.evaluate((y) => scrollTo(0, y), where)
  }

  /** What was asked for anywhere but at the page's own address. Pictures within the page are asked for of nobody. */
  strangers() {
    return this.requests.filter((url) => !url.startsWith(this.url) && !/^(data|blob):/.test(url))
  }

  /** What the browser complained about, but for answers that are errors and are shown as such, and for niivue's first
   * pictures, which it draws before it knows how large they are. */
  unexpected() {
    const known = /^(Failed to load resource: the server responded with a status of|GL_INVALID_VALUE : gl(Scissor|Viewport): )/
    return this.complaints.filter((text) => !known.test(text))
  }

  close() {
    return this.browser.close()
  }
}
