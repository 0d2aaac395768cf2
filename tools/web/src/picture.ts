// The picture's card: what surrounds the viewer. Works without pictures where there is no WebGL 2, and says so.
import * as api from './api'
import { by_id, chosen, make, radios } from './dom'
import { LocalScan } from './nifti'
import type { Look, Mm, Range, View, Viewer } from './viewer'
import { value } from './words'

const no_webgl =
  'No pictures: this browser has no WebGL 2, or it is switched off. Everything else on this page works without it.'

const has_webgl = (): boolean => document.createElement('canvas').getContext('webgl2') !== null

export class Picture {
  private readonly note = by_id('stage-note')
  private readonly threshold = by_id<HTMLInputElement>('threshold')
  private readonly maximum = by_id<HTMLInputElement>('maximum')
  private readonly colours = by_id<HTMLSelectElement>('colours')
  private readonly axes = ['x', 'y', 'z'].map((id) => by_id<HTMLInputElement>(id))
  private readonly viewer: Promise<Viewer | null>
  private scan: LocalScan | null = null
  private touched = false // threshold or brightest colour was set by hand, and stays for the scan's other volumes
  private wanted = 0 // counts requests: an older one that ends late shows nothing

  constructor() {
    this.viewer = this.open()
    for (const dial of [this.threshold, this.maximum]) {
      dial.addEventListener('input', () => {
        this.touched = true
        void this.recolour()
      })
    }
  }

  /** Shows volume 0 of a file, straight from the file. */
  async show(file: File): Promise<void> {
    const mine = ++this.wanted
    this.scan = null
    this.touched = false
    const viewer = await this.viewer
    if (viewer === null) return
    try {
      const scan = await LocalScan.open(file)
      if (mine !== this.wanted) return
      this.scan = scan
      await this.draw(viewer, mine, 0, true)
    } catch (error) {
      if (mine === this.wanted) this.show_nothing(viewer, `No picture of ${file.name}: ${(error as Error).message}.`)
    }
  }

  /** Shows volume k of the same file; the crosshair stays where it is, or goes to the volume's peak. */
  async show_volume(k: number, at_peak = false): Promise<void> {
    const mine = ++this.wanted
    const viewer = await this.viewer
    if (viewer === null || this.scan === null) return
    try {
      await this.draw(viewer, mine, k, at_peak)
    } catch (error) {
      if (mine === this.wanted) this.show_nothing(viewer, `No picture of volume ${k}: ${(error as Error).message}.`)
    }
  }

  private async draw(viewer: Viewer, mine: number, k: number, at_peak: boolean): Promise<void> {
    const file = await this.scan?.volume(k)
    if (file === undefined || mine !== this.wanted) return
    await viewer.set_volume(file, (range) => this.fit(range))
    if (at_peak) viewer.move_to_peak()
    this.say('')
    by_id<HTMLFieldSetElement>('look').disabled = false
  }

  private show_nothing(viewer: Viewer, why: string): void {
    viewer.clear_volume()
    by_id<HTMLFieldSetElement>('look').disabled = true
    this.say(why)
  }

  private say(text: string): void {
    this.note.textContent = text
    this.note.hidden = text === ''
  }

  private async open(): Promise<Viewer | null> {
    if (!has_webgl()) return this.do_without(no_webgl)
    try {
      const { Viewer, colour_scales } = await import('./viewer')
      for (const [key, { title }] of Object.entries(colour_scales)) {
        this.colours.append(make('option', { value: key }, title))
      }
      const viewer = await Viewer.open(by_id<HTMLCanvasElement>('canvas'))
      viewer.moved = (mm, v) => this.moved(mm, v)
      await viewer.set_background(await api.background())
      this.say('')
      this.connect(viewer)
      return viewer
    } catch (error) {
      return this.do_without(`No pictures: ${(error as Error).message}. Everything else on this page works.`)
    }
  }

  private do_without(why: string): null {
    by_id('picture').classList.add('absent')
    this.say(why)
    return null
  }

  private connect(viewer: Viewer): void {
    by_id<HTMLFieldSetElement>('views').disabled = false
    for (const radio of radios('view')) radio.addEventListener('change', () => viewer.set_view(chosen('view') as View))
    this.colours.addEventListener('change', () => void this.recolour())
    by_id('peak').addEventListener('click', () => viewer.move_to_peak())
    for (const axis of this.axes) {
      axis.addEventListener('change', () => viewer.move_to(this.axes.map((a) => a.valueAsNumber || 0) as Mm))
    }
    const sides = by_id<HTMLSelectElement>('sides')
    sides.disabled = false
    sides.addEventListener('change', () => viewer.set_radiological(sides.value === 'radiological'))
    // Keys are handled here and kept from niivue, whose own need the mouse over the canvas.
    by_id('stage').addEventListener(
      'keydown',
      (event) => {
        event.stopPropagation()
        if (!event.ctrlKey && !event.altKey && !event.metaKey && viewer.key(event.code)) event.preventDefault()
      },
      true,
    )
    by_id('stage').addEventListener('keyup', (event) => event.stopPropagation(), true)
  }

  private moved(mm: Mm, v: number): void {
    mm.forEach((at, i) => {
      const axis = this.axes[i]
      if (axis !== undefined) axis.value = String(Math.round(at))
    })
    by_id('place').textContent = `value ${value(v)}`
  }

  // Threshold and brightest colour for a volume: its own, unless they were set by hand.
  private fit(range: Range): Look {
    const top = range.largest || 1
    if (!this.touched) {
      for (const dial of [this.threshold, this.maximum]) {
        dial.min = '0'
        dial.max = String(top)
        dial.step = String(top / 200)
      }
      this.threshold.value = String(Math.min(range.usual, top * 0.6))
      this.maximum.value = String(top * 0.85)
    }
    return this.look()
  }

  private look(): Look {
    const look = {
      threshold: this.threshold.valueAsNumber,
      maximum: this.maximum.valueAsNumber,
      colours: this.colours.value,
    }
    by_id('threshold-value').textContent = value(look.threshold)
    by_id('maximum-value').textContent = value(look.maximum)
    return look
  }

  private async recolour(): Promise<void> {
    const look = this.look()
    ;(await this.viewer)?.set_look(look)
  }
}
