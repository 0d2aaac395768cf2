// Small NIfTI files made in tests, right or wrong on purpose.
#pragma once

#include <nifti/nifti1.h>
#include <nifti/nifti2.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace smpc::testing {

// What a test wants in a file. Voxels are given with i fastest, as the file stores them.
struct NiftiSpec {
  bool second = false;  // NIfTI-2
  bool swapped = false;
  std::vector<std::int64_t> dim{3, 4, 3, 2, 1, 1, 1, 1};
  int datatype = DT_FLOAT32;
  int bitpix = 32;
  double vox_offset = -1;  // -1: right behind the header
  double slope = 0;
  double intercept = 0;
  int sform_code = 4;
  int qform_code = 0;
  double srow[12] = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72};
  double quatern[6] = {0, 0, 0, 0, 0, 0};
  double pixdim[8] = {1, 4, 4, 4, 1, 1, 1, 1};
  int units = NIFTI_UNITS_MM;
  std::string magic;  // empty: the right one
  std::string extension{0, 0, 0, 0};
};

template <class T>
void put(std::string& to, std::size_t at, T value, bool swapped) {
  char b[sizeof(T)];
  std::memcpy(b, &value, sizeof(T));
  if (swapped) std::reverse(b, b + sizeof(T));
  std::memcpy(to.data() + at, b, sizeof(T));
}

template <class H, class Dim, class Real>
std::string header_bytes(const NiftiSpec& s) {
  std::string h(sizeof(H), '\0');
  const auto at = [&](auto member) { return reinterpret_cast<std::size_t>(&(static_cast<H*>(nullptr)->*member)); };
  put<std::int32_t>(h, 0, sizeof(H), s.swapped);
  for (std::size_t i = 0; i < 8; ++i) {
    put<Dim>(h, at(&H::dim) + i * sizeof(Dim), static_cast<Dim>(s.dim[i]), s.swapped);
    put<Real>(h, at(&H::pixdim) + i * sizeof(Real), static_cast<Real>(s.pixdim[i]), s.swapped);
  }
  put<std::int16_t>(h, at(&H::datatype), static_cast<std::int16_t>(s.datatype), s.swapped);
  put<std::int16_t>(h, at(&H::bitpix), static_cast<std::int16_t>(s.bitpix), s.swapped);
  put<Real>(h, at(&H::scl_slope), static_cast<Real>(s.slope), s.swapped);
  put<Real>(h, at(&H::scl_inter), static_cast<Real>(s.intercept), s.swapped);
  using Code = decltype(H::sform_code);
  put<Code>(h, at(&H::sform_code), static_cast<Code>(s.sform_code), s.swapped);
  put<Code>(h, at(&H::qform_code), static_cast<Code>(s.qform_code), s.swapped);
  const std::size_t q[6] = {at(&H::quatern_b), at(&H::quatern_c), at(&H::quatern_d),
                            at(&H::qoffset_x), at(&H::qoffset_y), at(&H::qoffset_z)};
  for (std::size_t i = 0; i < 6; ++i) put<Real>(h, q[i], static_cast<Real>(s.quatern[i]), s.swapped);
  const std::size_t rows[3] = {at(&H::srow_x), at(&H::srow_y), at(&H::srow_z)};
  for (std::size_t i = 0; i < 12; ++i) {
    put<Real>(h, rows[i / 4] + (i % 4) * sizeof(Real), static_cast<Real>(s.srow[i]), s.swapped);
  }
  using Units = decltype(H::xyzt_units);
  put<Units>(h, at(&H::xyzt_units), static_cast<Units>(s.units), s.swapped);
  const double offset = s.vox_offset == -1 ? static_cast<double>(sizeof(H) + s.extension.size()) : s.vox_offset;
  using Offset = decltype(H::vox_offset);
  put<Offset>(h, at(&H::vox_offset), static_cast<Offset>(offset), s.swapped);
  const std::string magic = !s.magic.empty() ? s.magic
                            : s.second       ? std::string("n+2\0\r\n\032\n", 8)
                                             : std::string("n+1\0", 4);
  h.replace(at(&H::magic), magic.size(), magic);
  return h;
}

inline std::string nifti_header(const NiftiSpec& s) {
  const std::string h = s.second ? header_bytes<nifti_2_header, std::int64_t, double>(s)
                                 : header_bytes<nifti_1_header, std::int16_t, float>(s);
  return h + s.extension;
}

template <class T>
std::string nifti_file(const NiftiSpec& s, const std::vector<T>& voxels) {
  std::string out = nifti_header(s);
  const std::size_t at = out.size();
  out.resize(at + voxels.size() * sizeof(T));
  for (std::size_t i = 0; i < voxels.size(); ++i) put<T>(out, at + i * sizeof(T), voxels[i], s.swapped);
  return out;
}

inline std::string gzip(const std::string& plain) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, plain.size()), '\0');
  z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(plain.data()));
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = reinterpret_cast<unsigned char*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// A file in the temporary folder that goes with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content, const std::string& ending = ".nii")
      : path_(std::filesystem::temp_directory_path() /
              ("smpc_image_test_" + std::to_string(::getpid()) + "_" + std::to_string(reinterpret_cast<std::size_t>(this)) + ending)) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove_all(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace smpc::testing
