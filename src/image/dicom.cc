#include "dicom.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>
#include <system_error>

namespace smpc::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t preamble_bytes = 128;
constexpr std::string_view magic = "DICM";
static_assert(preamble_bytes + magic.size() == dicom_head_bytes);

constexpr int most_entries = 256;

// Tag, then the value's representation in two capital letters (explicit) or its length (implicit; PS3.5, 7.1). The
// first elements of these groups are short texts, identifiers and lengths, all of even length.
bool begins_with_element(std::span<const std::byte> head) noexcept {
  if (head.size() < 8) return false;
  const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(head[i]); };
  const std::uint32_t group = at(0) | at(1) << 8;
  const std::uint32_t element = at(2) | at(3) << 8;
  if ((group != 0x0002 && group != 0x0008) || element > 0x0100) return false;
  const auto capital = [&](std::size_t i) { return at(i) >= 'A' && at(i) <= 'Z'; };
  if (capital(4) && capital(5)) return true;
  const std::uint32_t length = at(4) | at(5) << 8 | at(6) << 16 | at(7) << 24;
  return length > 0 && length <= 256 && length % 2 == 0;
}

bool file_is_dicom(const fs::path& file) {
  std::array<std::byte, dicom_head_bytes> head{};
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(head.data()), head.size());
  return is_dicom(std::span(head).first(static_cast<std::size_t>(in.gcount())));
}

}  // namespace

bool is_dicom(std::span<const std::byte> head) noexcept {
  if (head.size() >= dicom_head_bytes &&
      std::equal(magic.begin(), magic.end(), head.begin() + preamble_bytes,
                 [](char c, std::byte b) { return std::byte(static_cast<unsigned char>(c)) == b; })) {
    return true;
  }
  return begins_with_element(head);
}

bool holds_dicom(const fs::path& folder) {
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (int n = 0; !error && at != fs::recursive_directory_iterator() && n < most_entries; ++n, at.increment(error)) {
    std::error_code unknown;
    // Nothing that could wait for a writer: no pipe, and no file of the kernel's, which has no size.
    if (!at->is_regular_file(unknown) || at->file_size(unknown) < dicom_head_bytes || unknown) continue;
    if (file_is_dicom(at->path())) return true;
  }
  return false;
}

}  // namespace smpc::image
