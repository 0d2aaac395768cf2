// The tools as processes.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const bin = process.env.SMPC_BIN_DIR

/** Polls until `condition` is true; an error that says `what` was missing after a minute. */
export async function until(condition, what) {
  const end = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`expected ${what}`)
    await new Promise((go) => setTimeout(go, 20))
  }
}

/** A tool that stays: it is waited for by what it prints, and ended by SIGTERM. */
export class Daemon {
  constructor(tool, args) {
    this.tool = tool
    this.log = ''
    this.ended = null // its exit code or signal
    this.process = spawn(join(bin, tool), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.log += text))
    this.process.on('close', (code, signal) => (this.ended = signal ?? code))
  }

  /** What the first group of `pattern` matches in its output. */
  async says(pattern) {
    await until(() => pattern.test(this.log) || this.ended !== null, `${this.tool} to print ${pattern}`)
    const found = pattern.exec(this.log)
    if (found === null) throw new Error(`${this.tool} ended with ${this.ended}: ${this.log}`)
    return found[1]
  }

  async end(signal) {
    if (this.ended === null) this.process.kill(signal)
    await until(() => this.ended !== null, `${this.tool} to end`)
    return this.ended
  }

  async stop() {
    const before = this.ended
    const code = await this.end('SIGTERM')
    if (before === null && code !== 0) throw new Error(`${this.tool} ended with ${code}: ${this.log}`)
  }

  kill() {
    return this.end('SIGKILL')
  }
}

/** A tool that runs to its end. */
export async function run(tool, args) {
  const child = spawn(join(bin, tool), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (err += text))
  const code = await new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', done)
  })
  return { code, out, err }
}
