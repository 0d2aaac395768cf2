// A 4-D scan's results as a table that can be sorted and chosen from.
import type { VolumeResult } from './api'
import { breakable, make } from './dom'
import { percent } from './words'

type Key = 'volume' | 'label' | 'probability'

const compare: Record<Key, (a: VolumeResult, b: VolumeResult) => number> = {
  volume: (a, b) => a.volume - b.volume,
  label: (a, b) => a.label.localeCompare(b.label) || a.volume - b.volume,
  probability: (a, b) => (a.probability ?? 0) - (b.probability ?? 0) || a.volume - b.volume,
}

interface Heading {
  key: Key
  cell: HTMLTableCellElement
}

export interface ResultsTable {
  element: HTMLElement
  /** Marks a volume's row as the one that is shown. */
  mark: (volume: number) => void
}

export function results_table(results: VolumeResult[], choose: (volume: number) => void): ResultsTable {
  const revealed = results.some((r) => r.probability !== undefined)
  const keys: Key[] = revealed ? ['volume', 'label', 'probability'] : ['volume', 'label']
  const body = make('tbody')
  const rows = new Map(results.map((r) => [r, make_row(r, choose)]))
  const headings = keys.map((key) => make_heading(key, () => sort(key)))

  function sort(key: Key): void {
    const cell = headings.find((h) => h.key === key)?.cell
    if (cell === undefined) return
    // Volumes and labels rise first; the surest result comes first.
    const first = key === 'probability' ? 'descending' : 'ascending'
    const other = first === 'ascending' ? 'descending' : 'ascending'
    const order = cell.getAttribute('aria-sort') === first ? other : first
    for (const h of headings) h.cell.removeAttribute('aria-sort')
    cell.setAttribute('aria-sort', order)
    const sign = order === 'ascending' ? 1 : -1
    const sorted = [...results].sort((a, b) => sign * compare[key](a, b))
    body.replaceChildren(...sorted.flatMap((r) => rows.get(r) ?? []))
  }

  sort('volume')
  const head = make('thead', {}, make('tr', {}, ...headings.map((h) => h.cell)))
  const table = make('table', { class: 'results', 'data-testid': 'results' }, head, body)
  const scroll = { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Results of all volumes' }
  const mark = (volume: number): void => {
    for (const [r, row] of rows) {
      if (r.volume === volume) row.setAttribute('aria-current', 'true')
      else row.removeAttribute('aria-current')
    }
  }
  return { element: make('div', scroll, table), mark }
}

function make_heading(key: Key, sort: () => void): Heading {
  const title = key.charAt(0).toUpperCase() + key.slice(1)
  const button = make('button', { type: 'button', 'data-testid': `sort-${key}` }, title)
  button.addEventListener('click', sort)
  return { key, cell: make('th', { scope: 'col', class: key }, button) }
}

function make_row(r: VolumeResult, choose: (volume: number) => void): HTMLTableRowElement {
  // The button is for the keyboard; the whole row takes a click.
  const button = make('button', { type: 'button', 'aria-label': `Show volume ${r.volume}` }, String(r.volume))
  const label = make('td', { class: 'label' })
  label.append(breakable(r.label))
  const row = make('tr', { 'data-testid': `row-${r.volume}` }, make('td', { class: 'volume' }, button), label)
  if (r.probability !== undefined) row.append(make('td', { class: 'probability' }, percent(r.probability)))
  row.addEventListener('click', () => choose(r.volume))
  return row
}
