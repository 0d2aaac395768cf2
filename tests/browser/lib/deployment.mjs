// Dealer, server and the page's own process, on free ports, with certificates and state of their own.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Daemon, run } from './process.mjs'
import { Relay } from './relay.mjs'

export const demo = process.env.SMPC_DEMO_MODEL

export class Deployment {
  /** `server`: options of smpc-server beyond its model. `unnamed`: a model that does not name its classes. */
  static async start({ server = ['--reveal', 'logits', '--no-quota'], relayed = false, unnamed = false } = {}) {
    const d = new Deployment()
    d.server_options = server
    d.folder = await mkdtemp(join(tmpdir(), 'smpc-browser-'))
    try {
      d.model = unnamed ? await d.without_names() : join(demo, 'mlp.onnx')
      await d.begin(relayed)
    } catch (error) {
      await d.stop()
      throw error
    }
    return d
  }

  async begin(relayed) {
    const made = await run('smpc-certs', ['init', join(this.folder, 'id')])
    if (made.code !== 0) throw new Error(made.err)
    await this.start_dealer()
    await this.start_server()
    if (relayed) this.relay = await new Relay(this.server_port).listen()
    this.ui = new Daemon('smpc-client', ['ui', ...this.client_options()])
    this.url = await this.ui.says(/^open (http:\S+)\n/)
  }

  /** The same model under another key of its metadata: nobody reads its labels. */
  async without_names() {
    const bytes = await readFile(join(demo, 'mlp.onnx'))
    bytes.write('note', bytes.indexOf('smpc.labels'))
    const path = join(this.folder, 'unnamed.onnx')
    await writeFile(path, bytes)
    return path
  }

  role(name) {
    return ['--identity', join(this.folder, 'id', name), '--state', join(this.folder, 'state', name)]
  }

  /** Of every smpc-client command: the same state as the page's. */
  client_options() {
    const port = this.relay?.port ?? this.server_port
    return ['--server', `127.0.0.1:${port}`, '--dealer', `127.0.0.1:${this.dealer_port}`, ...this.role('client')]
  }

  /** The second time at the same port. */
  async start_dealer() {
    this.dealer = new Daemon('smpc-dealer', ['--listen', `127.0.0.1:${this.dealer_port ?? 0}`, ...this.role('dealer')])
    this.dealer_port = await this.dealer.says(/listening on port (\d+)/)
  }

  async start_server() {
    this.server = new Daemon('smpc-server', [
      ...['--model', this.model, '--listen', `127.0.0.1:${this.server_port ?? 0}`],
      ...['--dealer', `127.0.0.1:${this.dealer_port}`, ...this.role('server'), ...this.server_options],
    ])
    this.server_port = await this.server.says(/listening on port (\d+)/)
    await this.server.says(/(ready)/)
  }

  client(...args) {
    return run('smpc-client', [...args, ...this.client_options()])
  }

  async stop() {
    for (const daemon of [this.ui, this.server, this.dealer]) await daemon?.stop()
    this.relay?.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}
