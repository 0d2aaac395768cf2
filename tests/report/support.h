// Volumes made in tests, and what a report shows read back from it.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "smpc/report/report.h"

namespace smpc::testing {

using Mm = std::array<double, 3>;

inline const Grid mni{{45, 54, 45}, {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1}};  // LAS
inline const Grid mni_ras{{45, 54, 45}, {4, 0, 0, -86, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1}};
inline const Grid mni_pir{{54, 45, 45}, {0, 0, 4, -86, -4, 0, 0, 86, 0, -4, 0, 104, 0, 0, 0, 1}};  // other axes

inline Mm place(const Grid& g, double i, double j, double k) {
  Mm out{};
  for (std::size_t r = 0; r < 3; ++r) {
    out[r] = g.affine[r * 4] * i + g.affine[r * 4 + 1] * j + g.affine[r * 4 + 2] * k + g.affine[r * 4 + 3];
  }
  return out;
}

// The values of a function of space at the centres of a grid's voxels.
template <class Function>
std::vector<double> sampled(const Grid& g, const Function& f) {
  std::vector<double> out;
  for (std::uint32_t i = 0; i < g.shape[0]; ++i) {
    for (std::uint32_t j = 0; j < g.shape[1]; ++j) {
      for (std::uint32_t k = 0; k < g.shape[2]; ++k) out.push_back(f(place(g, i, j, k)));
    }
  }
  return out;
}

// A ball whose value falls from `height` in its centre to 0 at its surface.
inline double ball(const Mm& at, const Mm& centre, double radius, double height) {
  const double d = std::hypot(at[0] - centre[0], at[1] - centre[1], at[2] - centre[2]);
  return d < radius ? height * (1 - d / radius) : 0;
}

inline ReportContent content(const Grid& grid, const std::vector<double>& voxels) {
  ReportContent c;
  c.scan = "scan.nii.gz";
  c.grid = grid;
  c.voxels = voxels;
  c.label = "LANG-BROCA";
  c.top = {{4, "LANG-BROCA", 0.9312}, {7, "AUDITORY", 0.04}};
  c.program = std::string(64, 'a');
  c.mask = "bb";
  c.server = "urn:smpc:server:s";
  c.client = "urn:smpc:client:c";
  c.dealer = "127.0.0.1:7100";
  c.phases = {{"inference", 614'213, 24'119, 0.014}, {"control", 2'000, 3'000, {}}};
  c.messages = 14;
  c.client_learned = "You learned one label.";
  c.server_learned = "The owner learned that you asked.";
  c.dealer_learned = "The dealer was not asked.";
  c.time = "2026-11-25T00:08:26+01:00";
  c.version = "smpc 0.1.0";
  return c;
}

inline std::vector<std::string> all_between(const std::string& text, const std::string& before,
                                            const std::string& after) {
  std::vector<std::string> out;
  for (std::size_t at = text.find(before); at != std::string::npos; at = text.find(before, at)) {
    at += before.size();
    out.push_back(text.substr(at, text.find(after, at) - at));
  }
  return out;
}

struct Decoded {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<unsigned char> rgb;
  const unsigned char* at(std::size_t column, std::size_t row) const { return rgb.data() + (row * width + column) * 3; }
};

inline Decoded decode_png(const std::string& base64) {
  std::vector<unsigned char> file(base64.size() / 4 * 3);
  const int length = EVP_DecodeBlock(file.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                     static_cast<int>(base64.size()));
  EXPECT_EQ(static_cast<std::size_t>(length), file.size());
  file.resize(file.size() - static_cast<std::size_t>(std::count(base64.begin(), base64.end(), '=')));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  Decoded out{image.width, image.height, std::vector<unsigned char>(PNG_IMAGE_SIZE(image))};
  EXPECT_NE(png_image_finish_read(&image, nullptr, out.rgb.data(), 0, nullptr), 0) << image.message;
  return out;
}

// Sagittal, coronal and axial slice, then the glass brains in the same order.
inline std::vector<Decoded> pictures(const std::string& html) {
  std::vector<Decoded> out;
  for (const std::string& base64 : all_between(html, "href=\"data:image/png;base64,", "\""))
    out.push_back(decode_png(base64));
  return out;
}

struct Patch {
  std::size_t pixels = 0;
  double column = 0;  // of its centre
  double row = 0;
};

// Of the pixels that `is` names.
template <class Is>
Patch patch(const Decoded& picture, const Is& is) {
  Patch out;
  for (std::size_t row = 0; row < picture.height; ++row) {
    for (std::size_t column = 0; column < picture.width; ++column) {
      if (!is(picture.at(column, row))) continue;
      ++out.pixels;
      out.column += static_cast<double>(column) + 0.5;
      out.row += static_cast<double>(row) + 0.5;
    }
  }
  if (out.pixels > 0) {
    out.column /= static_cast<double>(out.pixels);
    out.row /= static_cast<double>(out.pixels);
  }
  return out;
}
inline bool is_warm(const unsigned char* p) { return p[0] > p[2] + 60; }
inline bool is_cold(const unsigned char* p) { return p[2] > p[0] + 60; }

}  // namespace smpc::testing
