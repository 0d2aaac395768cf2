// The four steps of a secure inference, filled from the run's events.
import type { Phase, Progress, Result } from './api'
import { by_id, make } from './dom'
import { bytes, capital, count, seconds } from './words'

type State = 'waiting' | 'active' | 'done' | 'failed'

const steps = [
  { key: 'randomness', title: 'Correlated randomness', idle: 'Random numbers from the dealer, to mask with.' },
  { key: 'masking', title: 'Volume masked', idle: 'Here, on this computer. No voxel is sent.' },
  { key: 'inference', title: 'Inference', idle: 'Layer by layer, with the model’s owner.' },
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

class StepRow {
  private readonly mark = make('span', { class: 'mark', 'aria-hidden': 'true' })
  private readonly state_words = make('span', { class: 'visually-hidden' })
  private readonly text = make('p', { class: 'step-text' })
  private readonly bar = make('progress', { max: '1', value: '0' })
  private readonly time = make('p', { class: 'step-time' })
  private readonly numbers = make('p', { class: 'step-numbers' })
  readonly extra = make('ul', { class: 'layers' })
  readonly row: HTMLLIElement

  constructor(
    private readonly position: number,
    readonly step: (typeof steps)[number],
  ) {
    const title = make('p', { class: 'step-title' }, step.title, this.state_words)
    this.row = make('li', { class: 'step', 'data-testid': `step-${step.key}` }, this.mark, title, this.time, this.text, this.numbers)
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
    this.time.textContent = ''
    this.numbers.textContent = ''
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

  show_numbers(how_far: string, cost: Cost): void {
    this.time.textContent = seconds(cost.seconds)
    const parts = how_far === '' ? [] : [how_far]
    if (cost.sent + cost.received > 0) parts.push(`sent ${bytes(cost.sent)}`, `received ${bytes(cost.received)}`)
    this.numbers.replaceChildren(...parts.map((part) => make('span', {}, part)))
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
      return `${bytes(p.done)} of ${bytes(p.whole)}`
    case 'inference':
      return `message ${p.done} of ${p.whole}`
    case 'masking':
      return `${p.done} of ${count(p.whole, 'volume')}`
    default:
      return `${p.done} of ${count(p.whole, 'bundle')}`
  }
}

export class Steps {
  private readonly rows = steps.map((step, i) => new StepRow(i, step))
  private readonly announce = by_id('announce')
  private before: Cost[] = [] // of each step, in phases that have ended: a phase's figures begin at 0
  private now = nothing // of the phase
  private phase: Phase | null = null
  private current = -1

  constructor() {
    by_id('steps').replaceChildren(...this.rows.map((r) => r.row))
  }

  reset(): void {
    this.before = steps.map(() => nothing)
    this.now = nothing
    this.phase = null
    this.current = -1
    this.announce.textContent = ''
    for (const row of this.rows) row.reset()
  }

  progress(p: Progress): void {
    const at = step_of[p.phase]
    const row = this.rows[at]
    if (row === undefined) return
    if (p.phase !== this.phase) {
      this.announce.textContent = capital(p.text)
      if (this.current >= 0) this.before[this.current] = this.cost_of(this.current)
      this.phase = p.phase
    }
    if (at !== this.current) this.begin(at)
    this.now = { sent: p.sent, received: p.received, seconds: p.seconds }
    const volumes = p.phase === 'inference' && p.volumes > 1 ? `, ${p.volumes_done} of ${p.volumes} volumes done` : ''
    const words = p.layer === '' ? capital(p.text) : `Layer ${p.layer}`
    row.say(words + volumes, p.whole > 0 ? p.done / p.whole : null)
    row.show_numbers(how_far(p), this.cost_of(at))
    row.show_layer(p.layer)
  }

  done(r: Result): void {
    const { online, offline, setup } = r.cost
    const fetched = sum({ ...nothing, ...offline }, { ...nothing, ...setup })
    const texts = [
      fetched.received > 0 ? 'Received, and stored until it is used.' : 'All that was needed was stored already.',
      'No voxel was sent.',
      `${count(online.rounds ?? 0, 'message')} in sequence.`,
      'Put together here; only you have it.',
    ]
    const total = { sent: 0, received: 0, seconds: r.seconds }
    const costs = [fetched, this.cost_of(1), { ...nothing, ...online }, total]
    this.rows.forEach((row, i) => {
      row.set_state('done')
      row.finish_layers()
      row.say(texts[i] ?? '', 1)
      row.show_numbers('', costs[i] ?? nothing)
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
    this.now = nothing
  }

  private cost_of(step: number): Cost {
    const before = this.before[step] ?? nothing
    return step === this.current ? sum(before, this.now) : before
  }
}
