// A picture in the colours of the palette, and as a PNG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace smpc::report {

struct Picture {
  Picture(std::size_t columns, std::size_t rows) : width(columns), height(rows), pixels(columns * rows) {}
  std::uint8_t& at(std::size_t column, std::size_t row) { return pixels[row * width + column]; }

  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> pixels;  // indices into palette(), row by row from the top
};

// "data:image/png;base64,...", by libpng and OpenSSL. The same picture gives the same text.
std::string png_address(const Picture& picture);

}  // namespace smpc::report
