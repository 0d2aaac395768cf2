#include "picture.h"

#include <openssl/evp.h>
#include <png.h>

#include "colour_scale.h"
#include "smpc/base/error.h"

namespace smpc::report {
namespace {

std::vector<unsigned char> png(const Picture& picture) {
  static_assert(sizeof(Palette) == 3 * std::tuple_size_v<Palette>, "a colour map entry is three bytes");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = static_cast<png_uint_32>(palette().size());
  const auto stride = static_cast<png_int_32>(picture.width);
  std::vector<unsigned char> out(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t size = out.size();
  SMPC_CHECK(png_image_write_to_memory(&image, out.data(), &size, 0, picture.pixels.data(), stride, palette().data()) !=
             0);
  out.resize(size);
  return out;
}

}  // namespace

std::string png_address(const Picture& picture) {
  const std::vector<unsigned char> file = png(picture);
  std::string text(4 * ((file.size() + 2) / 3), '\0');
  std::vector<unsigned char> base64(text.size() + 1);  // EVP_EncodeBlock ends with a zero
  const int length = EVP_EncodeBlock(base64.data(), file.data(), static_cast<int>(file.size()));
  SMPC_CHECK(static_cast<std::size_t>(length) == text.size());
  text.assign(base64.begin(), base64.end() - 1);
  return "data:image/png;base64," + text;
}

}  // namespace smpc::report
