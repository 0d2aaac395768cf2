// A scan as the browser has it: the file itself, unpacked, and any one of its volumes as a small NIfTI file of its own, so
// that a scan of a thousand volumes is shown a volume at a time, where the computation takes it to be. What is wrong with a file is for the own process to say,
// in the words of the command line; here it only means that there is no picture.
import { Gunzip } from 'fflate'

interface Layout {
  version: 1 | 2
  little: boolean
  start: number // of the voxels, in bytes
  volume_bytes: number
  volumes: number
}

async function unpack(file: File): Promise<Blob> {
  const magic = new Uint8Array(await file.slice(0, 2).arrayBuffer())
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return file
  // Not DecompressionStream: that refuses a file of several gzip members.
  const parts: Blob[] = []
  const gunzip = new Gunzip((chunk) => parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>])))
  const reader = file.stream().getReader()
  for (;;) {
    const { done, value } = await reader.read()
    try {
      gunzip.push(value ?? new Uint8Array(0), done)
    } catch (error) {
      // Zeros behind the last member, as good files may have them, or else what the own process refuses.
      if (parts.length === 0) throw error
      await reader.cancel()
      return new Blob(parts)
    }
    if (done) return new Blob(parts)
  }
}

// Where the fields of either version are, in bytes (nifti1.h, nifti2.h).
const places = {
  1: { real: 4, pixdim: 76, units: 123, qform_code: 252, sform_code: 254, qoffset: 268, srow: 280 },
  2: { real: 8, pixdim: 104, units: 500, qform_code: 344, sform_code: 348, qoffset: 376, srow: 400 },
}
const millimetres = 2 // of xyzt_units, and what a metre and a micron are in them
const factors: Record<number, number> = { 1: 1000, 3: 0.001 }

/**
 * Leaves one way to read the header's geometry, that of the computation: the sform where there is one, in millimetres.
 * niivue takes the qform where its code is the larger one, and knows no units.
 */
function settle_geometry(header: DataView, version: 1 | 2, little: boolean): void {
  const at = places[version]
  const code = (where: number): number => (version === 1 ? header.getInt16(where, little) : header.getInt32(where, little))
  const clear = (where: number): void => (version === 1 ? header.setInt16(where, 0, little) : header.setInt32(where, 0, little))
  clear(code(at.sform_code) > 0 ? at.qform_code : at.sform_code)
  const units = version === 1 ? header.getUint8(at.units) : header.getInt32(at.units, little)
  const factor = factors[units & 7]
  if (factor === undefined) return
  const scale = (where: number, count: number): void => {
    for (let place = where; place < where + count * at.real; place += at.real) {
      if (version === 1) header.setFloat32(place, factor * header.getFloat32(place, little), little)
      else header.setFloat64(place, factor * header.getFloat64(place, little), little)
    }
  }
  scale(at.pixdim + at.real, 3)
  scale(at.qoffset, 3)
  scale(at.srow, 12)
  const settled = (units & ~7) | millimetres
  version === 1 ? header.setUint8(at.units, settled) : header.setInt32(at.units, settled, little)
}

function layout(header: DataView): Layout {
  const little = [348, 540].includes(header.getInt32(0, true))
  const size = header.getInt32(0, little)
  if (size !== 348 && size !== 540) throw new Error('it is not a NIfTI file')
  const version = size === 348 ? 1 : 2
  const dim = (i: number): number =>
    version === 1 ? header.getInt16(40 + 2 * i, little) : Number(header.getBigInt64(16 + 8 * i, little))
  const bits = header.getInt16(version === 1 ? 72 : 14, little)
  const offset = version === 1 ? header.getFloat32(108, little) : Number(header.getBigInt64(168, little))
  const rank = dim(0)
  let voxels = 1
  let volumes = 1
  for (let i = 1; i <= rank && i <= 7; ++i) i <= 3 ? (voxels *= dim(i)) : (volumes *= Math.max(1, dim(i)))
  const volume_bytes = (voxels * bits) / 8
  if (!(rank >= 2 && rank <= 7 && volume_bytes > 0 && offset >= size)) throw new Error('its header makes no sense')
  return { version, little, start: offset, volume_bytes, volumes }
}

export class LocalScan {
  private constructor(
    private readonly blob: Blob,
    private readonly layout: Layout,
  ) {}

  static async open(file: File): Promise<LocalScan> {
    const blob = await unpack(file)
    if (blob.size < 348) throw new Error('it is shorter than a header')
    const head = new Uint8Array(544)
    head.set(new Uint8Array(await blob.slice(0, head.length).arrayBuffer()))
    return new LocalScan(blob, layout(new DataView(head.buffer)))
  }

  get volumes(): number {
    return this.layout.volumes
  }

  /** Volume k as a NIfTI file of three dimensions. */
  async volume(k: number): Promise<File> {
    const { version, little, start, volume_bytes } = this.layout
    const from = start + k * volume_bytes
    if (this.blob.size < from + volume_bytes) throw new Error(`it ends before volume ${k} does`)
    const head = await this.blob.slice(0, start).arrayBuffer()
    const header = new DataView(head)
    for (let i = 4; i <= 7; ++i) {
      version === 1 ? header.setInt16(40 + 2 * i, 1, little) : header.setBigInt64(16 + 8 * i, 1n, little)
    }
    version === 1 ? header.setInt16(40, 3, little) : header.setBigInt64(16, 3n, little)
    settle_geometry(header, version, little)
    return new File([head, this.blob.slice(from, from + volume_bytes)], 'volume.nii')
  }
}
