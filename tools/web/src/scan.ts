// The scan's card: the file, what is in it, which volume, and the grid check.
import type { Scan } from './api'
import { Failure } from './api'
import { by_id, chosen, radios, terms } from './dom'
import { capital, show_failure } from './words'

const no_facts: [string, string][] = [
  ['Size', '–'],
  ['Voxels', '–'],
  ['Orientation', '–'],
  ['Stored as', '–'],
]

const titles = {
  same: 'The right grid',
  reoriented: 'The same grid, its axes in another order',
  other: 'On another grid',
}

const offers = {
  same: '',
  reoriented: 'Bring it onto the model’s grid. Its axes are turned; no value changes.',
  other: 'Bring it onto the model’s grid (resample). Values between voxels are interpolated.',
}

export class ScanCard {
  /** Another volume is to be shown. */
  volume_changed: (volume: number) => void = () => {}
  /** What is to be run is another than before. */
  choice_changed: () => void = () => {}
  private scan: Scan | null = null
  private readonly slider = by_id<HTMLInputElement>('volume-slider')
  private readonly number = by_id<HTMLInputElement>('volume-number')
  private readonly resample_box = by_id<HTMLInputElement>('resample')
  private readonly check = by_id('check')

  constructor() {
    by_id('scan-facts').replaceChildren(...terms(no_facts))
    for (const control of [this.slider, this.number]) {
      control.addEventListener('input', () => {
        if (!control.checkValidity() || control.value === '') return
        this.set_volume(control.valueAsNumber)
        this.volume_changed(this.volume)
      })
    }
    this.number.addEventListener('change', () => this.set_volume(this.volume))
    for (const radio of radios('which')) radio.addEventListener('change', () => this.choice_changed())
    this.resample_box.addEventListener('change', () => this.choice_changed())
  }

  get volume(): number {
    return this.slider.valueAsNumber
  }

  /** What is asked for: a volume, or all. */
  get selection(): number | 'all' {
    return this.scan !== null && this.scan.volumes > 1 && chosen('which') === 'all' ? 'all' : this.volume
  }

  get resample(): boolean {
    return this.needs_resampling && this.resample_box.checked
  }

  get needs_resampling(): boolean {
    return this.scan !== null && this.scan.check.verdict !== 'same'
  }

  set_volume(volume: number): void {
    this.slider.value = String(volume)
    this.number.value = String(volume)
    this.slider.setAttribute('aria-valuetext', `volume ${volume}`)
    by_id('one-text').textContent = `volume ${volume} alone`
  }

  reading(file: File): void {
    this.scan = null
    by_id('drop-name').textContent = file.name
    by_id('drop-hint').textContent = 'Drop or choose another at any time'
    by_id('drop').classList.add('chosen')
    by_id('scan-facts').replaceChildren(...terms(no_facts))
    by_id('volumes').hidden = true
    by_id('scan-error').replaceChildren()
    by_id('resample-line').hidden = true
    this.resample_box.checked = false
    this.say('reading', 'Grid', 'The file is being read and checked, here. Nothing is sent.')
  }

  show(scan: Scan): void {
    this.scan = scan
    by_id('scan-facts').replaceChildren(
      ...terms([
        ['Size', [...scan.shape.slice(0, 3), ...(scan.volumes > 1 ? [scan.volumes] : [])].join(' × ')],
        ['Voxels', `${scan.voxel_size.map((s) => Number(s.toFixed(2))).join(' × ')} mm`],
        ['Orientation', scan.orientation],
        ['Stored as', scan.datatype],
      ]),
    )
    const last = String(scan.volumes - 1)
    this.slider.max = last
    this.number.max = last
    this.set_volume(0)
    by_id('volumes').hidden = scan.volumes < 2
    by_id('volumes-legend').textContent = `Volume, 0 to ${last}`
    by_id('all-text').textContent = `all ${scan.volumes} volumes`
    const { verdict, words } = scan.check
    this.say(verdict, titles[verdict], capital(words))
    by_id('resample-line').hidden = verdict === 'same'
    by_id('resample-text').textContent = offers[verdict]
  }

  refuse(failure: Failure, retry: () => void): void {
    // A file that is wrong stays wrong; a peer that was away may be back.
    const wrong = failure.exit_code === 2 || failure.exit_code === 3
    this.say('refused', wrong ? 'This file is refused' : 'Not checked', wrong ? 'See below why.' : 'The check could not be made.')
    show_failure(by_id('scan-error'), failure, 'scan', wrong ? null : retry)
  }

  set enabled(on: boolean) {
    by_id<HTMLInputElement>('file').disabled = !on
    by_id('drop').classList.toggle('closed', !on)
    by_id<HTMLFieldSetElement>('volumes').disabled = !on
    this.resample_box.disabled = !on
  }

  private say(verdict: string, title: string, words: string): void {
    this.check.dataset.verdict = verdict
    by_id('check-title').textContent = title
    by_id('check-words').textContent = words
  }
}
