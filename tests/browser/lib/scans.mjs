// The demonstration's scan, moved elsewhere: NIfTI-1 as smpc-demo-model writes it, with its sform changed.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

import { demo } from './deployment.mjs'

export const scan = join(demo, 'scan.nii.gz')
export const scan4d = join(demo, 'scan4d.nii.gz')

const srow = 280 // offset of srow_x in the header (nifti1.h); each row is four floats
const dim = 40 // of dim[0], shorts
const voxels = 352

async function edited(name, folder, edit) {
  const bytes = gunzipSync(await readFile(scan))
  edit(bytes)
  const path = join(folder, name)
  await writeFile(path, gzipSync(bytes))
  return path
}

/** Half a voxel to the right: interpolation is needed. */
export const shifted = (folder) =>
  edited('shifted.nii.gz', folder, (b) => b.writeFloatLE(b.readFloatLE(srow + 12) + 2, srow + 12))

/** The same volume, stored from left to right where it was stored from right to left. */
export const flipped = (folder) =>
  edited('flipped.nii.gz', folder, (b) => {
    const step = b.readFloatLE(srow)
    const [nx, ny, nz] = [2, 4, 6].map((at) => b.readInt16LE(dim + at))
    b.writeFloatLE(-step, srow)
    b.writeFloatLE(b.readFloatLE(srow + 12) + step * (nx - 1), srow + 12)
    for (let row = 0; row < ny * nz; ++row) {
      const at = voxels + 4 * row * nx
      const values = Array.from({ length: nx }, (_, i) => b.readFloatLE(at + 4 * i))
      values.reverse().forEach((v, i) => b.writeFloatLE(v, at + 4 * i))
    }
  })

/** With a qform as well, whose axis from left to right is mirrored about the first voxel, and whose code is the larger. */
export const two_forms = (folder) =>
  edited('two_forms.nii.gz', folder, (b) => {
    const [pixdim, qform_code, quatern, qoffset] = [76, 252, 256, 268]
    b.writeInt16LE(b.readInt16LE(qform_code + 2) + 1, qform_code)
    const size = Math.abs(b.readFloatLE(srow))
    ;[1, size, size, size].forEach((v, i) => b.writeFloatLE(v, pixdim + 4 * i))
    for (let i = 0; i < 3; ++i) {
      b.writeFloatLE(0, quatern + 4 * i)
      b.writeFloatLE(b.readFloatLE(srow + 16 * i + 12), qoffset + 4 * i)
    }
  })

/** Cut short. */
export async function broken(folder) {
  const path = join(folder, 'broken.nii.gz')
  await writeFile(path, (await readFile(scan)).subarray(0, 20_000))
  return path
}
