// The page's requests to the process that serves it (docs/CLINIC.md). Every address is relative: all of it lies under the
// page's own random path.

/** What the results are. Only of logits and probabilities is there a probability. */
export type Output = 'logits' | 'probabilities' | 'values' | 'label'

export interface Model {
  server: string
  server_address: string
  dealer_address: string
  program: string
  mask: string
  reveal: 'label' | 'logits'
  output: Output
  classes: number
  grid: { shape: number[]; affine: number[] } | null
  input_masked: boolean
  bundles: number
  prepared: boolean
}

export interface Scan {
  scan: string
  name: string
  shape: number[]
  volumes: number
  datatype: string
  voxel_size: number[]
  orientation: string
  check: { verdict: 'same' | 'reoriented' | 'other'; words: string }
}

export type Phase =
  | 'connecting'
  | 'program'
  | 'masked_weights'
  | 'waiting_for_dealer'
  | 'randomness'
  | 'masking'
  | 'inference'

export interface Progress {
  phase: Phase
  text: string
  done: number
  whole: number
  layer: string
  sent: number
  received: number
  seconds: number
  volumes_done: number
  volumes: number
}

export interface ClassResult {
  index: number
  label: string
  probability: number
}

export interface VolumeResult {
  volume: number
  index: number
  label: string
  probability?: number
  top?: ClassResult[]
  values?: number[] // where they are no logits
}

export interface PhaseCost {
  sent: number
  received: number
  seconds?: number
  rounds?: number
}

export interface Result {
  program: string
  mask: string
  server: string
  reveal: 'label' | 'logits'
  output: Output
  results: VolumeResult[]
  cost: { online: PhaseCost; offline: PhaseCost; setup: PhaseCost; control: PhaseCost }
  learned: { client: string; server: string; dealer: string }
  seconds: number
  resampling: string // how the scan was brought onto the model's grid; empty: it lay there
  caution?: string // what must be true of the scan beyond what was checked
  nan?: string // how many voxels were NaN and taken as 0; empty where that was not asked for
}

interface ErrorBody {
  error: { message: string; exit_code: number }
}

/** What went wrong, in the words of the command line. `exit_code` is the command's, or `gone`. */
export class Failure extends Error {
  static readonly gone = -1 // the process that serves the page does not answer

  constructor(
    message: string,
    readonly exit_code: number,
    readonly status = 0,
  ) {
    super(message)
  }

  static from(body: ErrorBody, status = 0): Failure {
    return new Failure(body.error.message, body.error.exit_code, status)
  }

  static unreachable(): Failure {
    return new Failure('the process that serves this page does not answer', Failure.gone)
  }
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { cache: 'no-store', ...init })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw Failure.unreachable()
  }
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return body as T
  if (body !== null && typeof body === 'object' && 'error' in body) throw Failure.from(body as ErrorBody, response.status)
  throw new Failure(`the process that serves this page answered ${response.status}`, 1, response.status)
}

export const model = (): Promise<Model> => ask('api/model')

export const background = async (): Promise<File> => {
  const response = await fetch('background.nii.gz')
  if (!response.ok) throw new Failure('the background of the picture is not there', 1, response.status)
  return new File([await response.blob()], 'background.nii.gz')
}

/** Hands the file to the own process, which reads and checks it. Nothing is sent on. */
export const upload = (file: File, signal: AbortSignal): Promise<Scan> =>
  ask(`api/scan?name=${encodeURIComponent(file.name)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: file,
    signal,
  })

export const start = async (scan: string, volume: number | 'all', resample: boolean): Promise<string> => {
  const body = JSON.stringify({ scan, volume, resample })
  const headers = { 'Content-Type': 'application/json' }
  return (await ask<{ run: string }>('api/run', { method: 'POST', headers, body })).run
}

export const cancel = (run: string): Promise<unknown> => ask(`api/run/${run}/cancel`, { method: 'POST' })
export const report_address = (run: string, volume: number): string => `api/run/${run}/report.html?volume=${volume}`
export const csv_address = (run: string): string => `api/run/${run}/results.csv`

export interface Listener {
  /** Called at every connection: the events come again from the first one on. */
  begin(): void
  progress(p: Progress): void
  result(r: Result): void
  failed(f: Failure): void
}

/** Follows a run to its end. A connection that breaks is made again, a few times. */
export function follow(run: string, listener: Listener): void {
  const most_tries = 3
  let tries = 0
  const source = new EventSource(`api/run/${run}/events`)
  const data = (event: Event): unknown => JSON.parse((event as MessageEvent<string>).data)
  source.addEventListener('open', () => listener.begin())
  source.addEventListener('progress', (event) => {
    tries = 0
    listener.progress(data(event) as Progress)
  })
  source.addEventListener('result', (event) => {
    source.close()
    listener.result(data(event) as Result)
  })
  source.addEventListener('failed', (event) => {
    source.close()
    listener.failed(Failure.from(data(event) as ErrorBody))
  })
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED && ++tries < most_tries) return
    source.close()
    listener.failed(Failure.unreachable())
  })
}
