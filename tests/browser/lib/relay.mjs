// Stands between the client and the server, byte for byte, and can stop.
import net from 'node:net'

export class Relay {
  constructor(port) {
    this.port = 0 // its own
    this.target = port
    this.pairs = new Set()
    this.held = null // what was to be sent on, while nothing is
    this.trap = null
    this.listener = net.createServer((client) => this.accept(client))
  }

  async listen() {
    await new Promise((done) => this.listener.listen(0, '127.0.0.1', done))
    this.port = this.listener.address().port
    return this
  }

  /** Nothing passes any more, in either direction, until release(). */
  hold() {
    this.held = []
  }

  release() {
    const held = this.held ?? []
    this.held = null
    for (const [to, bytes] of held) to.write(bytes)
  }

  /** Holds as soon as a client has sent so many bytes on one connection; resolves then. */
  hold_after(bytes) {
    return new Promise((sprung) => (this.trap = { bytes, sprung }))
  }

  /** Ends every connection at once. */
  cut() {
    this.held = null
    for (const [a, b] of this.pairs) {
      a.destroy()
      b.destroy()
    }
  }

  close() {
    this.cut()
    this.listener.close()
  }

  accept(client) {
    const server = net.connect(this.target, '127.0.0.1')
    const pair = [client, server]
    this.pairs.add(pair)
    let sent = 0
    client.on('data', (bytes) => {
      sent += bytes.length
      if (this.trap !== null && sent >= this.trap.bytes) {
        this.hold()
        this.trap.sprung()
        this.trap = null
      }
      this.pass(server, bytes)
    })
    server.on('data', (bytes) => this.pass(client, bytes))
    for (const [from, to] of [pair, [server, client]]) {
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => this.pairs.delete(pair))
    }
  }

  pass(to, bytes) {
    if (this.held !== null) this.held.push([to, bytes])
    else to.write(bytes)
  }
}
