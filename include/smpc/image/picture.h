// Pixels from PNG and JPEG files, through libpng and libjpeg-turbo: 8 bits a channel, grey or red, green and blue.
//
// Refused in one line (bad_input): what the libraries refuse, more than 16384 pixels a side or 2^26 in all, 16 bits a channel,
// transparency, CMYK, and a JPEG that is to be turned (an Exif orientation other than 1), since nothing says which way the
// model was trained.
#pragma once

#include <cstdint>
#include <filesystem>

#include "smpc/base/secret.h"

namespace smpc {

struct Picture {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint32_t channels = 1;               // 1 or 3
  SecretVector<std::uint8_t> pixels;        // row by row, channels innermost
};

Picture load_picture(const std::filesystem::path& path);

// Whether a file begins as PNG or JPEG files do.
bool is_picture(const std::filesystem::path& path);

}  // namespace smpc
