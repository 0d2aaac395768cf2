// A scan, plain or gzipped: what loads is finite and of the size that its header says, comes out of every reader alike,
// and stays the same when it is compressed.
#include <cmath>

#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "image/nifti_writer.h"
#include "smpc/image/grid_map.h"
#include "smpc/image/volume_reader.h"

namespace smpc::fuzz {
namespace {

constexpr std::size_t most_voxels = std::size_t{1} << 16;  // larger claims are read up to their header only

bool equal(const SecretVector<double>& a, const SecretVector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_scan(const Scan& scan) {
  const std::size_t voxels = scan.header.grid.voxels();
  SMPC_CHECK(scan.volumes.size() == scan.header.volumes && scan.indices.size() == scan.header.volumes);
  for (const auto& volume : scan.volumes) {
    SMPC_CHECK(volume.size() == voxels);
    for (const double v : volume) SMPC_CHECK(std::isfinite(v));
  }
  for (const double v : scan.header.grid.affine) SMPC_CHECK(std::isfinite(v));
}

void check_reader(const std::filesystem::path& path, const Scan& scan) {
  VolumeReader reader(path, {.all = true, .index = {}});
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& volume : scan.volumes) SMPC_CHECK(equal(reader.next(), volume));
    reader.rewind();
  }
}

void check_compressed(ByteView plain, const Scan& scan) {
  static MemoryFile file("compressed");
  const std::string packed = testing::gzip(std::string(as_text(plain)));
  file.hold(as_bytes(packed));
  Scan again;
  // Refused where bytes follow the data, which only a plain file may have.
  if (refuses([&] { again = load_scan(file.path(), {.all = true, .index = {}}); })) return;
  SMPC_CHECK(again.header.grid == scan.header.grid && again.volumes.size() == scan.volumes.size());
  for (std::size_t v = 0; v < scan.volumes.size(); ++v) SMPC_CHECK(equal(again.volumes[v], scan.volumes[v]));
}

// A grid is its own; of the same dimensions in another place, the words of a refusal are found.
void check_words(const ScanHeader& header) {
  const auto is_huge = [](double v) { return std::abs(v) > 1e300; };  // no place in a double
  const auto& affine = header.grid.affine;
  if (std::none_of(affine.begin(), affine.end(), is_huge)) {
    expect_accepted([&] { check_grid(header, header.grid, "scan"); });
  }
  Grid other = header.grid;
  other.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  refuses([&] { check_grid(header, other, "scan"); });
}

// Onto grids that are its own turned around, finer and shifted, and fixed.
void check_map(const Scan& scan) {
  Grid turned = scan.header.grid;
  std::swap(turned.shape[0], turned.shape[2]);
  for (std::size_t row = 0; row < 3; ++row) std::swap(turned.affine[4 * row], turned.affine[4 * row + 2]);
  Grid finer = scan.header.grid;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t axis = 0; axis < 3; ++axis) finer.affine[4 * row + axis] *= 0.75;
    finer.affine[4 * row + 3] += 0.5;
  }
  Grid fixed;
  fixed.shape = {3, 4, 3};
  fixed.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  for (const Grid& to : {scan.header.grid, turned, finer, fixed}) {
    refuses([&] {
      const GridMap map(scan.header.grid, to);
      const SecretVector<double> out = map.apply(scan.volumes.front());
      SMPC_CHECK(out.size() == to.voxels() && map.outside() >= 0 && map.outside() <= 1);
      if (map.match() == GridMatch::other) return;
      SMPC_CHECK(std::is_permutation(out.begin(), out.end(), scan.volumes.front().begin()));
    });
  }
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  static fuzz::MemoryFile file("scan");
  const ByteView bytes = fuzz::bytes_of(data, size);
  file.hold(bytes);
  ScanHeader header;
  if (fuzz::refuses([&] { header = read_scan_header(file.path()); })) return 0;
  fuzz::check_words(header);
  if (header.grid.voxels() > fuzz::most_voxels / header.volumes) return 0;
  Scan scan;
  const VolumeSelection all{.all = true, .index = {}};
  if (fuzz::refuses([&] { scan = load_scan(file.path(), all); })) {
    SMPC_CHECK(fuzz::refuses([&] { VolumeReader reader(file.path(), all); }));
    return 0;
  }
  SMPC_CHECK(scan.header.grid == header.grid && scan.header.volumes == header.volumes);
  fuzz::check_scan(scan);
  if (header.grid.voxels() <= 256) fuzz::check_map(scan);
  fuzz::check_reader(file.path(), scan);
  if (bytes.front() != std::byte{0x1f}) fuzz::check_compressed(bytes, scan);
  return 0;
}
