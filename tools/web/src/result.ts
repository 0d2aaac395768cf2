// The result's card: the network's name, the top five, who learned what, what it cost.
import type { PhaseCost, Result, VolumeResult } from './api'
import { csv_address, report_address } from './api'
import { breakable, by_id, make, terms } from './dom'
import { results_table } from './table'
import { bytes, capital, percent, seconds } from './words'

export class ResultCard {
  /** A row of the table was chosen. */
  chosen: (volume: number) => void = () => {}
  private readonly card = by_id('result')
  private readonly body = by_id('result-body')
  private select: (volume: number) => void = () => {}

  hide(): void {
    this.card.hidden = true
    this.body.replaceChildren()
    this.select = () => {}
  }

  /** Shows a volume's result, if there is one. */
  show_volume(volume: number): void {
    this.select(volume)
  }

  show(run: string, result: Result, name: string): void {
    const many = result.results.length > 1
    const one = make('div', { class: many ? 'one of-many' : 'one' })
    const report = make('a', { class: 'button', 'data-testid': 'report' }, 'Save the report')
    const actions = make('p', { class: 'actions' }, report)
    const parts: HTMLElement[] = [one, actions]
    let mark: (volume: number) => void = () => {}
    if (many) {
      actions.append(make('a', { class: 'button', href: csv_address(run), download: '', 'data-testid': 'csv' }, 'Save the table as CSV'))
      const table = results_table(result.results, (volume) => {
        this.select(volume)
        this.chosen(volume)
      })
      mark = table.mark
      parts.push(table.element)
    }
    this.select = (volume) => {
      const r = result.results.find((x) => x.volume === volume)
      if (r === undefined) return
      one.replaceChildren(...verdict(r, result, many))
      report.href = report_address(run, volume)
      report.download = ''
      mark(volume)
    }
    parts.push(...learned(result), ...costs(result))
    this.body.replaceChildren(...parts)
    by_id('result-title').textContent = `Result, ${name}`
    this.card.hidden = false
    const [first] = result.results
    if (first !== undefined) this.select(first.volume)
  }

  focus(): void {
    this.card.focus({ preventScroll: true })
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.card.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'nearest' })
  }
}

function verdict(r: VolumeResult, result: Result, many: boolean): HTMLElement[] {
  const kicker = make('p', { class: 'kicker' }, many ? `Volume ${r.volume} shows` : 'This map shows')
  const label = make('p', { class: 'result-label', 'data-testid': 'result-label' })
  label.append(breakable(r.label))
  const parts: HTMLElement[] = [kicker, label]
  if (r.top !== undefined) parts.push(bars(r))
  else if (r.values !== undefined) {
    const value = r.values[r.index] ?? NaN
    const words = `Its value is ${Number(value.toPrecision(6))}, the largest of ${r.values.length} that the model gives.`
    parts.push(make('p', { 'data-testid': 'result-value' }, words))
  } else {
    parts.push(make('p', { 'data-testid': 'label-only' }, 'The model’s owner reveals the label and no more, so there is no probability.'))
  }
  for (const note of ['resampling', 'caution', 'nan'] as const) {
    const words = result[note] ?? ''
    if (words !== '') parts.push(make('p', { class: 'note', 'data-testid': note }, capital(words)))
  }
  return parts
}

function bars(r: VolumeResult): HTMLElement {
  const list = make('ol', { class: 'bars', 'aria-label': 'The five most probable networks', 'data-testid': 'top' })
  for (const { label, probability } of r.top ?? []) {
    const name = make('span', { class: 'bar-name' })
    name.append(breakable(label))
    const bar = make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span'))
    ;(bar.firstElementChild as HTMLElement).style.width = `${100 * probability}%`
    list.append(make('li', {}, name, make('span', { class: 'bar-number' }, percent(probability)), bar))
  }
  return list
}

function learned({ learned }: Result): HTMLElement[] {
  const list = make('ul', { class: 'learned' })
  for (const party of ['client', 'server', 'dealer'] as const) {
    list.append(make('li', { 'data-testid': `learned-${party}` }, learned[party]))
  }
  return [make('h3', {}, 'Who learned what'), list]
}

const moved = (n: number): string => (n === 0 ? '–' : bytes(n))

function costs(result: Result): HTMLElement[] {
  const { online, offline, setup, control } = result.cost
  const rows: [string, PhaseCost][] = [
    ['Inference', online],
    ['Correlated randomness', offline],
    ['Program and masked weights, once', setup],
    ['Control messages', control],
  ]
  const table = make('table', { class: 'costs', 'data-testid': 'cost' })
  const head = ['', 'Sent', 'Received', 'Time'].map((text) =>
    text === '' ? make('td') : make('th', { scope: 'col' }, text),
  )
  table.append(make('thead', {}, make('tr', {}, ...head)))
  const body = make('tbody')
  for (const [what, cost] of rows) {
    const time = cost.seconds ? seconds(cost.seconds) : '–'
    const cells = [moved(cost.sent), moved(cost.received), time].map((text) => make('td', {}, text))
    body.append(make('tr', {}, make('th', { scope: 'row' }, what), ...cells))
  }
  table.append(body)
  const details = make('dl', { class: 'facts wide' })
  details.append(
    ...terms([
      ['Messages in sequence', String(online.rounds ?? 0)],
      ['Model’s owner', result.server],
      ['Program', make('code', {}, result.program)],
      ['Masked weights', make('code', {}, result.mask)],
    ]),
  )
  return [make('h3', {}, 'What it cost'), table, make('details', {}, make('summary', {}, 'Identities and hashes'), details)]
}
