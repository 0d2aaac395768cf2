// Numbers as people read them, and what to do about an error.
import { Failure } from './api'
import { make } from './dom'

/** As the command line writes them. */
export function bytes(n: number): string {
  if (n < 1e4) return `${n} B`
  return n < 1e7 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`
}

export function seconds(s: number): string {
  if (s < 0.9995) return `${Math.round(s * 1000)} ms`
  if (s < 60) return `${s.toFixed(1)} s`
  return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`
}

export function percent(p: number): string {
  if (p > 0 && p < 0.0001) return '< 0.01 %'
  if (p < 1 && p > 0.9999) return '> 99.99 %'
  return `${(100 * p).toFixed(2)} %`
}

/** Four digits, as for a voxel. */
export function value(v: number): string {
  if (!Number.isFinite(v)) return '–'
  const size = Math.abs(v)
  return size !== 0 && (size >= 1e5 || size < 1e-3) ? v.toExponential(2) : String(Number(v.toPrecision(4)))
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export type Place = 'model' | 'scan' | 'run'

/** What to do next. */
function advice(failure: Failure, place: Place): string {
  if (failure.exit_code === Failure.gone) return 'Start smpc-client ui again, and open the address that it prints.'
  if (failure.status === 409) return 'Wait for the other run to end, perhaps in another window, then try again.'
  if (failure.status === 404) return 'Another scan took its place, perhaps in another window. Trying again hands this one over anew.'
  const kept = place === 'model' ? '' : ' The scan is kept.'
  switch (failure.exit_code) {
    case 2:
    case 3:
      return place === 'scan'
        ? 'Nothing was sent. Choose another file, or mend this one and choose it again.'
        : `Change what the line asks for, then try again.${kept}`
    case 4:
      return `See that the server of the model and the dealer run and can be reached, then try again.${kept}`
    case 5:
      return `See that the dealer runs, or try again when it has made more.${kept}`
    default:
      return `Try again.${kept}`
  }
}

/** An error in its place, with a button for what can be done. */
export function show_failure(where: HTMLElement, failure: Failure, place: Place, retry: (() => void) | null): void {
  const cancelled = failure.message === 'cancelled'
  const box = make(
    'div',
    { class: cancelled ? 'alert calm' : 'alert', role: 'alert', 'data-testid': 'error' },
    make('p', { class: 'alert-title', 'data-testid': 'error-message' }, cancelled ? 'Cancelled.' : failure.message),
    make('p', {}, cancelled ? 'Nothing more is sent. The scan is kept.' : advice(failure, place)),
  )
  if (retry !== null) {
    const button = make('button', { type: 'button', 'data-testid': 'retry' }, 'Try again')
    button.addEventListener('click', retry)
    box.append(button)
  }
  where.replaceChildren(box)
}

export function as_failure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure(error instanceof Error ? error.message : String(error), 1)
}
