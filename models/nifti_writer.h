// Volumes of the demo's grid as a NIfTI-1 file.
#pragma once

#include <cstddef>
#include <span>

#include "smpc/base/bytes.h"

namespace smpc::demo {

// A .nii of float32: header (348 bytes), no extension, then the volumes. `volumes` holds one or more, each as in
// volume.h, k fastest; the file has i fastest. One volume makes a 3-D file, more a 4-D one. sform and qform both say
// where the voxels lie (code 4, MNI 152), in millimetres.
Bytes nifti_file(std::span<const float> volumes);

// gzip (RFC 1952) without name and time: the same bytes whenever it is done.
Bytes gzip(ByteView data);

}  // namespace smpc::demo
