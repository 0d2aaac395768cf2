#include "smpc/image/picture.h"

#include <png.h>
#include <turbojpeg.h>

#include <memory>
#include <string_view>

#include "smpc/base/error.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

constexpr std::string_view png_magic("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view jpeg_magic("\xff\xd8\xff", 3);
constexpr std::uint32_t longest_side = 16384;
constexpr std::uint64_t most_pixels = std::uint64_t{1} << 26;
constexpr std::size_t longest_file = std::size_t{1} << 28;

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  fail_input(what + ": expected a PNG or JPEG picture of 8 bits a channel, but " + why);
}

void check_size(const std::string& what, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0 || width > longest_side || height > longest_side || width * height > most_pixels) {
    refuse(what, "it has " + std::to_string(width) + " x " + std::to_string(height) + " pixels, more than are taken");
  }
}

unsigned byte_at(ByteView b, std::size_t at) { return std::to_integer<unsigned>(b[at]); }

Picture read_png(ByteView file, const std::string& what) {
  // The header's own word, since the library's simple interface would convert: bits and kind of colour.
  if (file.size() < 26 || byte_at(file, 24) > 8) refuse(what, "it has 16 bits a channel, or is cut short");
  struct Free {
    void operator()(png_image* image) const { png_image_free(image); }
  };
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, Free> guard(&image);
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) refuse(what, std::string("libpng says: ") + image.message);
  check_size(what, image.width, image.height);
  if ((image.format & PNG_FORMAT_FLAG_ALPHA) != 0) refuse(what, "it has transparency");
  const bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Picture out{image.height, image.width, colour ? 3U : 1U, {}};
  out.pixels.resize(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, out.pixels.data(), 0, nullptr) == 0 || PNG_IMAGE_FAILED(image)) {
    refuse(what, std::string("libpng says: ") + image.message);
  }
  return out;
}

// The orientation that an Exif segment tells, 1 where there is none (CIPA DC-008, tag 0x0112 of the first directory).
unsigned orientation(ByteView file) {
  const auto big = [&](std::size_t at, bool msb, std::size_t bytes) {
    unsigned v = 0;
    for (std::size_t i = 0; i < bytes; ++i) v |= byte_at(file, at + i) << 8 * (msb ? bytes - 1 - i : i);
    return std::size_t{v};
  };
  std::size_t at = 2;
  while (at + 4 <= file.size() && byte_at(file, at) == 0xff) {
    const unsigned marker = byte_at(file, at + 1);
    if (marker == 0xda || marker == 0xd9) break;
    const std::size_t length = big(at + 2, true, 2);
    const std::size_t end = at + 2 + length;
    if (length < 2 || end > file.size()) break;
    const std::size_t exif = at + 4;
    if (marker == 0xe1 && end >= exif + 14 && as_text(file.subspan(exif, 6)) == std::string_view("Exif\0\0", 6)) {
      const std::size_t tiff = exif + 6;
      const bool msb = byte_at(file, tiff) == 'M';
      const std::size_t directory = tiff + big(tiff + 4, msb, 4);
      if (directory + 2 > end) break;
      const std::size_t entries = big(directory, msb, 2);
      for (std::size_t i = 0; i < entries && directory + 2 + 12 * (i + 1) <= end; ++i) {
        const std::size_t entry = directory + 2 + 12 * i;
        if (big(entry, msb, 2) == 0x0112) return static_cast<unsigned>(big(entry + 8, msb, 2));
      }
    }
    at = end;
  }
  return 1;
}

Picture read_jpeg(ByteView file, const std::string& what) {
  struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
  };
  const std::unique_ptr<void, Destroy> handle(tjInitDecompress());
  SMPC_CHECK(handle != nullptr);
  const auto* data = reinterpret_cast<const unsigned char*>(file.data());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  const auto failed = [&] { refuse(what, std::string("libjpeg-turbo says: ") + tjGetErrorStr2(handle.get())); };
  if (tjDecompressHeader3(handle.get(), data, file.size(), &width, &height, &subsampling, &colours) != 0) failed();
  if (colours != TJCS_GRAY && colours != TJCS_YCbCr && colours != TJCS_RGB) refuse(what, "it has other colours than grey or red, green and blue");
  if (width < 0 || height < 0) failed();
  check_size(what, static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height));
  if (orientation(file) != 1) refuse(what, "it says that it is to be turned (Exif); turn it");
  const bool colour = colours != TJCS_GRAY;
  Picture out{static_cast<std::uint32_t>(height), static_cast<std::uint32_t>(width), colour ? 3U : 1U, {}};
  out.pixels.resize(std::size_t{out.height} * out.width * out.channels);
  // Stops at what is damaged: a warning counts.
  if (tjDecompress2(handle.get(), data, file.size(), out.pixels.data(), width, 0, height, colour ? TJPF_RGB : TJPF_GRAY,
                    TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING) != 0) {
    failed();
  }
  return out;
}

}  // namespace

bool is_picture(const std::filesystem::path& path) {
  const Bytes head = read_head(path, png_magic.size());
  return as_text(head) == png_magic || as_text(head).substr(0, jpeg_magic.size()) == jpeg_magic;
}

Picture load_picture(const std::filesystem::path& path) {
  const Bytes file = read_file(path, longest_file);
  const std::string_view text = as_text(file);
  const std::string what = path.string();
  if (text.substr(0, png_magic.size()) == png_magic) return read_png(file, what);
  if (text.substr(0, jpeg_magic.size()) == jpeg_magic) return read_jpeg(file, what);
  refuse(what, "it begins otherwise");
}

}  // namespace smpc
