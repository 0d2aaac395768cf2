#include "nifti_writer.h"

#include <nifti/nifti1.h>
#include <zlib.h>

#include <bit>
#include <cstring>

#include "smpc/base/error.h"
#include "volume.h"

namespace smpc::demo {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");
static_assert(sizeof(nifti_1_header) == 348);

constexpr std::size_t data_offset = 352;  // the header and four bytes that say that no extension follows

nifti_1_header header_for(std::size_t volumes) {
  const Grid grid = demo_grid();
  nifti_1_header h{};
  h.sizeof_hdr = sizeof(nifti_1_header);
  h.dim[0] = volumes == 1 ? 3 : 4;
  for (std::size_t a = 0; a < 3; ++a) h.dim[1 + a] = static_cast<short>(grid.shape[a]);
  h.dim[4] = static_cast<short>(volumes);
  for (std::size_t a = 5; a < 8; ++a) h.dim[a] = 1;
  h.datatype = NIFTI_TYPE_FLOAT32;
  h.bitpix = 32;
  h.vox_offset = data_offset;
  h.scl_slope = 1;
  h.xyzt_units = NIFTI_UNITS_MM;
  h.sform_code = NIFTI_XFORM_MNI_152;
  h.qform_code = NIFTI_XFORM_MNI_152;
  for (std::size_t c = 0; c < 4; ++c) {
    h.srow_x[c] = static_cast<float>(grid.affine[c]);
    h.srow_y[c] = static_cast<float>(grid.affine[4 + c]);
    h.srow_z[c] = static_cast<float>(grid.affine[8 + c]);
  }
  // The affine diag(-4, 4, 4) mirrors one axis: half a turn about y (quaternion 0, 0, 1, 0) makes diag(-1, 1, -1), and
  // the handedness pixdim[0] = -1 turns the third axis back.
  h.pixdim[0] = -1;
  for (std::size_t a = 1; a < 4; ++a) h.pixdim[a] = voxel_mm;
  for (std::size_t a = 4; a < 8; ++a) h.pixdim[a] = 1;
  h.quatern_c = 1;
  h.qoffset_x = h.srow_x[3];
  h.qoffset_y = h.srow_y[3];
  h.qoffset_z = h.srow_z[3];
  std::strncpy(h.descrip, "smpc demo: synthetic, nobody's brain", sizeof(h.descrip) - 1);
  std::memcpy(h.magic, "n+1", 4);
  return h;
}

}  // namespace

Bytes nifti_file(std::span<const float> volumes) {
  const std::size_t count = volumes.size() / voxel_count;
  SMPC_CHECK(count > 0 && count < 32767 && volumes.size() == count * voxel_count);
  Bytes out(data_offset + volumes.size_bytes());
  const nifti_1_header header = header_for(count);
  std::memcpy(out.data(), &header, sizeof(header));
  std::byte* to = out.data() + data_offset;
  for (std::size_t n = 0; n < count; ++n) {
    const std::span<const float> volume = volumes.subspan(n * voxel_count, voxel_count);
    for (std::size_t k = 0; k < nz; ++k) {
      for (std::size_t j = 0; j < ny; ++j) {
        for (std::size_t i = 0; i < nx; ++i) {
          std::memcpy(to, &volume[voxel_index(i, j, k)], sizeof(float));
          to += sizeof(float);
        }
      }
    }
  }
  return out;
}

Bytes gzip(ByteView data) {
  z_stream stream{};
  gz_header header{};
  header.os = 255;  // unknown
  constexpr int gzip_window = 15 + 16;
  SMPC_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  SMPC_CHECK(deflateSetHeader(&stream, &header) == Z_OK);
  SMPC_CHECK(data.size() < (std::size_t{1} << 31));
  Bytes out(deflateBound(&stream, static_cast<uLong>(data.size())));
  Bytes in(data.begin(), data.end());  // zlib's pointer is not const
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  SMPC_CHECK(result == Z_STREAM_END);
  return out;
}

}  // namespace smpc::demo
