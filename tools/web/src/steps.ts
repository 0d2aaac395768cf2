// The four steps of a secure inference, filled from the run's events.
import type { Phase, Progress, Result } from './api'
import { by_id, make } from './dom'
import { bytes, count, seconds } from './words'

type State = 'waiting' | 'active' | 'done' | 'failed'

const steps = [
  { key: 'randomness', title: 'Correlated randomness received', idle: 'Random numbers from the dealer, which mask everything.' },
  { key: 'masking', title: 'Volume masked', idle: 'Here, on this computer. Nothing is sent.' },
  { key: 'inference', title: 'Inference', idle: 'Layer by layer, between you and the model’s owner.' },
  { key: 'result', title: 'Result', idle: 'Put together here.' },
] as const

const step_of: Record<Phase, number> = {
  connecting: 0,
  program: 0,
  masked_weights: 0,
  waiting_for_dealer: 0,
  randomness: 0,
  masking: 1,
  inference: 2,
}

interface Cost {
  sent: number
  received: number
  seconds: number
}

const nothing: Cost = { sent: 0, received: 0, seconds: 0 }
const sum = (a: Cost, b: Cost): Cost => ({
  sent: a.sent + b.sent,
  received: a.received + b.received,
  seconds: a.seconds + b.seconds,
})

/** What a phase cost. Its figures begin again with every batch of volumes; what was before is kept. */
class Meter {
  private before = nothing
  private now = nothing

  add(p: Cost): void {
    const again = p.sent < this.now.sent || p.received < this.now.received || p.seconds < this.now.seconds
    if (again) this.before = sum(this.before, this.now)
    this.now = { sent: p.sent, received: p.received, seconds: p.seconds }
  }

  get total(): Cost {
    return sum(this.before, this.now)
  }
}

class StepRow {
  private readonly mark = make('span', { class: 'mark', 'aria-hidden': 'true' })
  private readonly state_words = make('span', { class: 'visually-hidden' })
  private readonly text = make('p', { class: 'step-text' })
  private readonly bar = make('progress', { max: '1', value: '0' })
  private readonly cost = make('p', { class: 'step-cost' })
  readonly extra = make('ul', { class: 'layers' })
  readonly row: HTMLLIElement

  constructor(
    private readonly position: number,
    readonly step: (typeof steps)[number],
  ) {
    const title = make('p', { class: 'step-title' }, step.title, this.state_words)
    this.row = make('li', { class: 'step', 'data-testid': `step-${step.key}` }, this.mark, title, this.cost, this.text)
    this.bar.setAttribute('aria-label', step.title)
    this.row.append(this.bar)
    if (step.key === 'inference') {
      this.extra.setAttribute('data-testid', 'layers')
      this.extra.setAttribute('aria-label', 'Layers')
      this.row.append(this.extra)
    }
    this.reset()
  }

  reset(): void {
    this.set_state('waiting')
    this.say(this.step.idle)
    this.cost.textContent = ''
    this.extra.replaceChildren()
  }

  set_state(state: State): void {
    this.row.dataset.state = state
    this.mark.textContent = { waiting: String(this.position + 1), active: String(this.position + 1), done: '✓', failed: '!' }[state]
    this.state_words.textContent = { waiting: '', active: ', running', done: ', done', failed: ', stopped here' }[state]
    if (state === 'active') this.row.setAttribute('aria-current', 'step')
    else this.row.removeAttribute('aria-current')
  }

  say(text: string, fraction: number | null = 0): void {
    this.text.textContent = text
    if (fraction === null) this.bar.removeAttribute('value')
    else this.bar.value = fraction
  }

  show_cost(cost: Cost): void {
    const moved = cost.sent + cost.received > 0
    const parts = moved ? [make('span', {}, `↑ ${bytes(cost.sent)}`), make('span', {}, `↓ ${bytes(cost.received)}`)] : []
    this.cost.replaceChildren(...parts, make('span', {}, seconds(cost.seconds)))
    this.cost.setAttribute('aria-label', `sent ${bytes(cost.sent)}, received ${bytes(cost.received)}, ${seconds(cost.seconds)}`)
  }

  // Layers are known as they come; in a later batch they come again.
  show_layer(layer: string): void {
    if (layer === '') return
    const items = [...this.extra.children] as HTMLElement[]
    let at = items.findIndex((item) => item.dataset.layer === layer)
    if (at < 0) {
      at = items.length
      const item = make('li', { 'data-layer': layer }, layer)
      this.extra.append(item)
      items.push(item)
    }
    items.forEach((item, i) => (item.dataset.state = i < at ? 'done' : i === at ? 'active' : 'waiting'))
  }

  finish_layers(): void {
    for (const item of this.extra.children) (item as HTMLElement).dataset.state = 'done'
  }
}

function how_far(p: Progress): string {
  if (p.whole === 0) return ''
  switch (p.phase) {
    case 'masked_weights':
      return `: ${bytes(p.done)} of ${bytes(p.whole)}`
    case 'inference':
      return `: message ${p.done} of ${p.whole}`
    case 'masking':
      return `: ${p.done} of ${count(p.whole, 'volume')}`
    default:
      return `: ${p.done} of ${count(p.whole, 'bundle')}`
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export class Steps {
  private readonly rows = steps.map((step, i) => new StepRow(i, step))
  private readonly announce = by_id('announce')
  private meters = new Map<Phase, Meter>()
  private current = -1
  private phase = ''

  constructor() {
    by_id('steps').replaceChildren(...this.rows.map((r) => r.row))
  }

  reset(): void {
    this.meters = new Map()
    this.current = -1
    this.phase = ''
    this.announce.textContent = ''
    for (const row of this.rows) row.reset()
  }

  progress(p: Progress): void {
    const at = step_of[p.phase]
    const row = this.rows[at]
    if (row === undefined) return
    if (at !== this.current) this.begin(at)
    if (p.phase !== this.phase) this.announce.textContent = capital(p.text)
    this.phase = p.phase
    const meter = this.meters.get(p.phase) ?? new Meter()
    meter.add(p)
    this.meters.set(p.phase, meter)
    const volumes = p.phase === 'inference' && p.volumes > 1 ? `, ${p.volumes_done} of ${p.volumes} volumes done` : ''
    row.say(capital(p.text) + how_far(p) + volumes, p.whole > 0 ? p.done / p.whole : null)
    row.show_cost(this.cost_of(at))
    row.show_layer(p.layer)
  }

  done(r: Result): void {
    const { online, offline, setup } = r.cost
    const fetched = sum({ ...nothing, ...offline }, { ...nothing, ...setup })
    const texts = [
      fetched.received > 0 ? 'Received, and stored until it is used.' : 'All that was needed was stored already.',
      'Nothing was sent for this.',
      `${count(online.rounds ?? 0, 'message')} in sequence.`,
      'Put together here; only you have it.',
    ]
    const total = { sent: 0, received: 0, seconds: r.seconds }
    const costs = [fetched, this.cost_of(1), { ...nothing, ...online }, total]
    this.rows.forEach((row, i) => {
      row.set_state('done')
      row.finish_layers()
      row.say(texts[i] ?? '', 1)
      row.show_cost(costs[i] ?? nothing)
    })
    const [first] = r.results
    this.announce.textContent =
      r.results.length === 1 && first !== undefined ? `Result: ${first.label}` : `Results of ${r.results.length} volumes`
  }

  failed(): void {
    this.rows[Math.max(0, this.current)]?.set_state('failed')
  }

  private begin(at: number): void {
    this.rows.forEach((row, i) => row.set_state(i < at ? 'done' : i === at ? 'active' : 'waiting'))
    if (at > this.current) for (const row of this.rows.slice(0, at)) row.say(row.step.idle, 1)
    this.current = at
  }

  private cost_of(step: number): Cost {
    let total = nothing
    for (const [phase, meter] of this.meters) if (step_of[phase] === step) total = sum(total, meter.total)
    return total
  }
}
