// niivue: the background, a volume over it, the crosshair. Loaded by picture.ts when the browser has WebGL 2.
import { MULTIPLANAR_TYPE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue'
import type { NiiVueLocation } from '@niivue/niivue'

export type View = 'all' | 'axial' | 'coronal' | 'sagittal' | 'render'
export type Mm = [number, number, number]

export interface Look {
  threshold: number // of |value|: what is below is not shown
  maximum: number // of |value|: the brightest colour
  colours: string // a key of `colour_scales`
}

/** The voxels' sizes, without their signs: for a first choice of threshold and brightest colour. */
export interface Range {
  largest: number
  usual: number // 98 of 100 voxels that are not zero are below it
}

/** Colours of positive and of negative values. */
export const colour_scales: Record<string, { title: string; positive: string; negative: string }> = {
  warm: { title: 'Warm and cool', positive: 'warm', negative: 'blue2cyan' },
  flame: { title: 'Flame and ice', positive: 'hot', negative: 'electric_blue' },
  viridis: { title: 'Viridis and magma', positive: 'viridis', negative: 'magma' },
}

const slice_types: Record<View, SLICE_TYPE> = {
  all: SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  render: SLICE_TYPE.RENDER,
}

const transparent_below_minimum = 2 // niivue's COLORMAP_TYPE, which it does not export

export class Viewer {
  /** Called whenever the crosshair moves: where it is, and the value there (NaN where there is none). */
  moved: (mm: Mm, value: number) => void = () => {}
  private volume: NVImage | null = null
  private view: View = 'all'

  private constructor(
    private readonly niivue: Niivue,
    private readonly canvas: HTMLCanvasElement,
  ) {
    niivue.onLocationChange = (location) => {
      const { mm, values } = location as NiiVueLocation
      this.moved([mm[0], mm[1], mm[2]], this.volume === null ? NaN : (values[1]?.value ?? NaN))
    }
  }

  /** Throws where there is no WebGL 2. */
  static async open(canvas: HTMLCanvasElement): Promise<Viewer> {
    const niivue = new Niivue({
      backColor: [0, 0, 0, 1],
      fontColor: [0.86, 0.9, 0.94, 1],
      crosshairColor: [0.36, 0.86, 0.56, 0.9],
      crosshairWidthUnit: 'mm',
      isOrientationTextVisible: true,
      showAllOrientationMarkers: true,
      isOrientCube: true,
      isColorbar: true,
      colorbarHeight: 0.035,
      fontMinPx: 14,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      multiplanarLayout: MULTIPLANAR_TYPE.GRID,
      multiplanarPadPixels: 8,
      dragAndDropEnabled: false,
      scrollRequiresFocus: true,
      loadingText: '',
      logLevel: 'silent',
    })
    await niivue.attachToCanvas(canvas)
    const viewer = new Viewer(niivue, canvas)
    new ResizeObserver(() => viewer.fit_crosshair()).observe(canvas)
    return viewer
  }

  async set_background(file: File): Promise<void> {
    const image = await NVImage.loadFromFile({ file, colormap: 'gray' })
    image.colorbarVisible = false
    this.niivue.addVolume(image)
    this.niivue.createOnLocationChange()
  }

  /** Shows a volume over the background, in place of the one before. */
  async set_volume(file: File, look: (range: Range) => Look): Promise<void> {
    const image = await NVImage.loadFromFile({ file })
    const range = ranges(image)
    image.colormapType = transparent_below_minimum
    this.apply(image, look(range))
    if (this.volume !== null) this.niivue.removeVolume(this.volume)
    this.volume = image
    this.niivue.addVolume(image)
    this.niivue.createOnLocationChange()
  }

  clear_volume(): void {
    if (this.volume !== null) this.niivue.removeVolume(this.volume)
    this.volume = null
  }

  set_look(look: Look): void {
    if (this.volume === null) return
    this.apply(this.volume, look)
    this.niivue.updateGLVolume()
  }

  set_view(view: View): void {
    this.view = view
    this.niivue.setSliceType(slice_types[view])
    this.fit_crosshair()
  }

  set_radiological(on: boolean): void {
    this.niivue.setRadiologicalConvention(on)
  }

  move_to(mm: Mm): void {
    const fraction = this.niivue.mm2frac(mm)
    this.niivue.scene.crosshairPos = [clamp(fraction[0]), clamp(fraction[1]), clamp(fraction[2])]
    this.niivue.createOnLocationChange()
    this.niivue.drawScene()
  }

  /** To the voxel that is farthest from zero. */
  move_to_peak(): void {
    if (this.volume !== null) this.move_to(peak(this.volume))
  }

  /** One step by a key, in the directions of the picture; whether the key means anything. */
  key(code: string): boolean {
    const steps: Record<string, [number, number, number]> = {
      ArrowLeft: [-1, 0, 0],
      ArrowRight: [1, 0, 0],
      ArrowUp: [0, 1, 0],
      ArrowDown: [0, -1, 0],
      PageUp: [0, 0, 1],
      PageDown: [0, 0, -1],
    }
    const step = steps[code]
    if (step === undefined) return false
    const [across, up, through] = step
    const side = this.niivue.opts.isRadiologicalConvention ? -across : across
    if (this.view === 'render') {
      this.niivue.setRenderAzimuthElevation(
        this.niivue.scene.renderAzimuth + 10 * across,
        this.niivue.scene.renderElevation + 10 * up,
      )
    } else if (this.view === 'coronal') {
      this.niivue.moveCrosshairInVox(side, through, up)
    } else if (this.view === 'sagittal') {
      this.niivue.moveCrosshairInVox(through, across, up)
    } else {
      this.niivue.moveCrosshairInVox(side, up, through)
    }
    return true
  }

  // A line of one and a half pixels, which niivue wants in millimetres: thinner ones come and go with the place.
  private fit_crosshair(): void {
    const millimetres = this.view === 'all' ? 420 : 230 // two slices, or one, side by side
    const pixels = Math.min(this.canvas.clientWidth, this.canvas.clientHeight)
    if (pixels > 0) this.niivue.setCrosshairWidth((1.5 * millimetres) / pixels)
  }

  private apply(image: NVImage, look: Look): void {
    const scale = colour_scales[look.colours] ?? colour_scales.warm
    if (scale === undefined) return
    image.colormap = scale.positive
    image.colormapNegative = (image.global_min ?? 0) < 0 ? scale.negative : ''
    image.cal_min = look.threshold
    image.cal_max = Math.max(look.maximum, look.threshold * 1.001)
    image.cal_minNeg = -image.cal_min
    image.cal_maxNeg = -image.cal_max
  }
}

const clamp = (fraction: number): number => Math.min(1, Math.max(0, fraction))

// A stored voxel as the header scales it.
function scaled(image: NVImage): (raw: number) => number {
  const { scl_slope, scl_inter } = image.hdr ?? { scl_slope: 1, scl_inter: 0 }
  return (raw) => raw * scl_slope + scl_inter
}

function ranges(image: NVImage): Range {
  const of = scaled(image)
  const sizes = Float64Array.from(image.img ?? [], (raw) => Math.abs(of(raw)))
    .filter((size) => size > 0 && Number.isFinite(size))
    .sort()
  const at = (fraction: number): number => sizes[Math.floor(fraction * (sizes.length - 1))] ?? 0
  return { largest: at(1), usual: at(0.98) }
}

function peak(image: NVImage): Mm {
  const of = scaled(image)
  const img = image.img ?? []
  let best = 0
  let largest = -1
  for (let i = 0; i < img.length; ++i) {
    const size = Math.abs(of(img[i] ?? 0))
    if (size > largest) [best, largest] = [i, size]
  }
  const [, nx = 1, ny = 1] = image.hdr?.dims ?? []
  const voxel = [best % nx, Math.floor(best / nx) % ny, Math.floor(best / (nx * ny)), 1]
  const row = (r: number): number => voxel.reduce((sum, v, c) => sum + v * (image.hdr?.affine[r]?.[c] ?? 0), 0)
  return [row(0), row(1), row(2)]
}
