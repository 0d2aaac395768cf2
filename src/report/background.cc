#include "background.h"

#include <zlib.h>

#include <bit>

#include "embedded.h"
#include "smpc/base/error.h"
#include "smpc/report/background.h"

namespace smpc {

ByteView mni_background() noexcept { return report::background_file(); }

namespace report {
namespace {

constexpr Grid background_grid{{45, 54, 45}, {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1}};
constexpr std::size_t data_begins = 352;  // behind the NIfTI-1 header and the flag of its extensions

// Of a file that the build put here, so its form is known and anything else is a fault of ours.
Bytes unpacked(ByteView packed, std::size_t size) {
  Bytes out(size);
  z_stream z{};
  SMPC_CHECK(inflateInit2(&z, 15 + 16) == Z_OK);
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int end = inflate(&z, Z_FINISH);
  inflateEnd(&z);
  SMPC_CHECK(end == Z_STREAM_END && z.avail_out == 0);
  return out;
}

}  // namespace

Background load_background() {
  Background out{std::vector<double>(background_grid.voxels()), background_grid};
  const Bytes file = unpacked(background_file(), data_begins + out.voxels.size() * sizeof(float));
  const auto [ni, nj, nk] = out.grid.shape;
  ByteReader reader(file, "background");
  reader.bytes(data_begins);
  for (std::size_t k = 0; k < nk; ++k) {
    for (std::size_t j = 0; j < nj; ++j) {
      for (std::size_t i = 0; i < ni; ++i) {
        out.voxels[(i * nj + j) * nk + k] = static_cast<double>(std::bit_cast<float>(reader.u32()));
      }
    }
  }
  return out;
}

}  // namespace report
}  // namespace smpc
