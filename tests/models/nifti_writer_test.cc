#include "nifti_writer.h"

#include <gtest/gtest.h>
#include <nifti/nifti1.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstring>

#include "volume.h"

namespace smpc::demo {
namespace {

nifti_1_header header_of(const Bytes& file) {
  nifti_1_header header{};
  std::memcpy(&header, file.data(), sizeof(header));
  return header;
}

TEST(NiftiWriter, SaysWhatIsInTheFileAndWhere) {
  const std::vector<float> volume(voxel_count);
  const Bytes file = nifti_file(volume);
  ASSERT_EQ(file.size(), 352 + 4 * voxel_count);
  const nifti_1_header h = header_of(file);
  EXPECT_EQ(h.sizeof_hdr, 348);
  EXPECT_STREQ(h.magic, "n+1");
  EXPECT_EQ(h.vox_offset, 352.0F);
  EXPECT_EQ(h.dim[0], 3);
  EXPECT_EQ(h.dim[1], 45);
  EXPECT_EQ(h.dim[2], 54);
  EXPECT_EQ(h.dim[3], 45);
  for (int a = 4; a < 8; ++a) EXPECT_EQ(h.dim[a], 1);
  EXPECT_EQ(h.datatype, NIFTI_TYPE_FLOAT32);
  EXPECT_EQ(h.bitpix, 32);
  EXPECT_EQ(h.scl_slope, 1.0F);
  EXPECT_EQ(h.scl_inter, 0.0F);
  EXPECT_EQ(h.xyzt_units, NIFTI_UNITS_MM);
  EXPECT_EQ(h.sform_code, 4);
  EXPECT_EQ(h.qform_code, 4);
  for (int a = 1; a < 4; ++a) EXPECT_EQ(h.pixdim[a], 4.0F);
  const float affine[3][4] = {{-4, 0, 0, 90}, {0, 4, 0, -126}, {0, 0, 4, -72}};
  for (int c = 0; c < 4; ++c) {
    EXPECT_EQ(h.srow_x[c], affine[0][c]);
    EXPECT_EQ(h.srow_y[c], affine[1][c]);
    EXPECT_EQ(h.srow_z[c], affine[2][c]);
  }
  for (std::size_t b = 348; b < 352; ++b) EXPECT_EQ(file[b], std::byte{0});
}

// nifti1.h, method 2: R from (a, b, c, d), its columns times the voxel size, the third times qfac.
TEST(NiftiWriter, GivesTheSamePlaceByQformAsBySform) {
  const nifti_1_header h = header_of(nifti_file(std::vector<float>(voxel_count)));
  const double b = h.quatern_b, c = h.quatern_c, d = h.quatern_d;
  const double a = std::sqrt(1 - b * b - c * c - d * d);
  const double r[3][3] = {{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
                          {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
                          {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b}};
  const float* rows[3] = {h.srow_x, h.srow_y, h.srow_z};
  for (int row = 0; row < 3; ++row) {
    EXPECT_EQ(r[row][0] * h.pixdim[1], rows[row][0]);
    EXPECT_EQ(r[row][1] * h.pixdim[2], rows[row][1]);
    EXPECT_EQ(r[row][2] * h.pixdim[3] * h.pixdim[0], rows[row][2]);
  }
  EXPECT_EQ(h.qoffset_x, 90);
  EXPECT_EQ(h.qoffset_y, -126);
  EXPECT_EQ(h.qoffset_z, -72);
}

TEST(NiftiWriter, TurnsTheVolumeRoundSoThatIIsFastest) {
  std::vector<float> volumes(2 * voxel_count);
  for (std::size_t v = 0; v < volumes.size(); ++v) volumes[v] = static_cast<float>(v);
  const Bytes file = nifti_file(volumes);
  EXPECT_EQ(header_of(file).dim[0], 4);
  EXPECT_EQ(header_of(file).dim[4], 2);
  for (const auto [t, i, j, k] :
       {std::array<std::size_t, 4>{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 12, 34, 7}, {1, 44, 53, 44}}) {
    float found = 0;
    std::memcpy(&found, file.data() + 352 + 4 * (i + nx * (j + ny * (k + nz * t))), 4);
    EXPECT_EQ(found, static_cast<float>(t * voxel_count + (i * 54 + j) * 45 + k));
  }
}

TEST(Gzip, ComesBackAndTellsNoTime) {
  Bytes data(100000);
  for (std::size_t n = 0; n < data.size(); ++n) data[n] = static_cast<std::byte>(n * n >> 7);
  const Bytes packed = gzip(data);
  ASSERT_GT(packed.size(), 18U);
  EXPECT_EQ(packed[0], std::byte{0x1f});
  EXPECT_EQ(packed[1], std::byte{0x8b});
  for (std::size_t b = 3; b < 8; ++b) EXPECT_EQ(packed[b], std::byte{0});  // no flags, no time
  EXPECT_EQ(packed, gzip(data));

  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  Bytes in = packed;
  Bytes out(data.size() + 1);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(out, data);
}

}  // namespace
}  // namespace smpc::demo
