// Puts the cards together: a file, the check, a run, its result.
import * as api from './api'
import type { Model, Output, Scan } from './api'
import { by_id, terms } from './dom'
import { Picture } from './picture'
import { ResultCard } from './result'
import { ScanCard } from './scan'
import { Steps } from './steps'
import { as_failure, count, show_failure } from './words'

const picture = new Picture()
const scan_card = new ScanCard()
const steps = new Steps()
const result_card = new ResultCard()
const run_button = by_id<HTMLButtonElement>('run')
const cancel_button = by_id<HTMLButtonElement>('cancel')

let model: Model | null = null
let file: File | null = null
let scan: Scan | null = null
let reading: AbortController | null = null
let running = false
let run = '' // the last one; none between asking for it and its number

// NAME of urn:smpc:ROLE:NAME.
const short_name = (identity: string): string => identity.slice(identity.lastIndexOf(':') + 1)

const answers: Record<Output, string> = {
  logits: ', with probabilities',
  probabilities: ', with probabilities',
  values: ', with values',
  label: ', the label alone',
}

async function ask_model(): Promise<void> {
  const state = by_id('model-state')
  const retry = by_id('model-retry')
  retry.hidden = true
  try {
    model = await api.model()
    state.hidden = true
    by_id('model-facts').hidden = false
    by_id('model-facts').replaceChildren(
      ...terms([
        ['Model’s owner', `${short_name(model.server)}, ${model.server_address}`],
        ['Dealer', model.dealer_address],
        ['Answers with', `one of ${count(model.classes, 'network')}${answers[model.output]}`],
        ['Stored here', `${model.prepared ? 'weights, ' : ''}${count(model.bundles, 'bundle')}`],
      ]),
    )
  } catch (error) {
    model = null
    by_id('model-facts').hidden = true
    state.hidden = false
    state.textContent = as_failure(error).message
    state.classList.add('bad')
    retry.hidden = false
  }
  refresh()
}

/** Why a run cannot begin, or what it will take. */
function readiness(): [boolean, string] {
  if (running) return [false, 'The volume stays on this computer, whatever happens.']
  if (file === null) return [false, 'Choose a scan first.']
  if (reading !== null) return [false, 'The scan is being read and checked.']
  if (scan === null) return [false, 'This scan cannot be run; the reason stands under the scan.']
  if (scan_card.needs_resampling && !scan_card.resample) {
    return [false, 'The scan is not on the model’s grid. Choose to bring it there first, under the scan.']
  }
  const volumes = scan_card.selection === 'all' ? scan.volumes : 1
  const stored = model === null ? '' : ` ${model.bundles} stored here.`
  return [true, `Uses ${count(volumes, 'bundle')} of correlated randomness.${stored}`]
}

function refresh(): void {
  const [ready, words] = readiness()
  run_button.disabled = !ready
  run_button.textContent = scan !== null && scan_card.selection === 'all' ? `Run all ${scan.volumes} volumes` : 'Run'
  cancel_button.disabled = !running || run === ''
  by_id('run-reason').textContent = words
  scan_card.enabled = !running
}

async function read(chosen: File): Promise<void> {
  reading?.abort()
  const mine = new AbortController()
  reading = mine
  scan = null
  scan_card.reading(chosen)
  refresh()
  try {
    const answer = await api.upload(chosen, mine.signal)
    if (reading !== mine) return
    scan = answer
    scan_card.show(answer)
  } catch (error) {
    if (reading !== mine) return
    scan_card.refuse(as_failure(error), () => {
      void ask_model()
      void read(chosen)
    })
  }
  reading = null
  refresh()
}

function take(chosen: File): void {
  if (running) return
  file = chosen
  steps.reset()
  result_card.hide()
  by_id('run-error').replaceChildren()
  void picture.show(chosen)
  void read(chosen)
}

async function begin(): Promise<void> {
  if (scan === null || file === null) return
  const { name } = file
  const [selection, resample] = [scan_card.selection, scan_card.resample]
  running = true
  run = ''
  steps.reset()
  result_card.hide()
  by_id('run-error').replaceChildren()
  refresh()
  try {
    run = await api.start(scan.scan, selection, resample)
  } catch (error) {
    return fail(as_failure(error))
  }
  refresh()
  cancel_button.focus()
  api.follow(run, {
    begin: () => steps.reset(),
    progress: (p) => steps.progress(p),
    failed: fail,
    result: (r) => {
      running = false
      steps.done(r)
      result_card.show(run, r, name)
      result_card.show_volume(scan_card.volume)
      refresh()
      result_card.focus()
      void ask_model()
    },
  })
}

function fail(failure: api.Failure): void {
  running = false
  steps.failed()
  const where = by_id('run-error')
  show_failure(where, failure, 'run', () => void again(failure))
  refresh()
  where.querySelector('button')?.focus()
  void ask_model()
}

/** The own process keeps one scan: one that gave way to another window's is handed over again. */
async function again(failure: api.Failure): Promise<void> {
  const choice = { volume: scan_card.volume, resample: scan_card.resample }
  if (failure.status === 404 && file !== null) {
    await read(file)
    scan_card.set_volume(choice.volume)
    by_id<HTMLInputElement>('resample').checked = choice.resample
    refresh()
  }
  await begin()
}

const input = by_id<HTMLInputElement>('file')
input.addEventListener('change', () => {
  const [chosen] = input.files ?? []
  if (chosen !== undefined) take(chosen)
  input.value = '' // the same file may be chosen again
})

// A file may be dropped anywhere on the page. On the way down, since the viewer keeps what falls on it.
const drop = by_id('drop')
const over = (on: boolean) => (event: DragEvent) => {
  if (!event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  event.stopPropagation()
  drop.classList.toggle('over', on && !running)
}
addEventListener('dragenter', over(true), true)
addEventListener('dragover', over(true), true)
addEventListener('dragleave', (event) => event.relatedTarget === null && over(false)(event), true)
addEventListener(
  'drop',
  (event) => {
    over(false)(event)
    const [chosen] = event.dataTransfer?.files ?? []
    if (chosen !== undefined) take(chosen)
  },
  true,
)

scan_card.volume_changed = (volume) => {
  void picture.show_volume(volume)
  result_card.show_volume(volume)
  refresh()
}
scan_card.choice_changed = refresh
result_card.chosen = (volume) => {
  scan_card.set_volume(volume)
  void picture.show_volume(volume, true)
}
run_button.addEventListener('click', () => void begin())
cancel_button.addEventListener('click', () => {
  cancel_button.disabled = true
  api.cancel(run).catch(refresh) // how the run ends its events tell
})
by_id('model-retry').addEventListener('click', () => {
  void ask_model()
  if (file !== null && scan === null) void read(file)
})
refresh()
void ask_model()
