// Pixels from PNG and JPEG files that the libraries themselves have written.
#include <gtest/gtest.h>
#include <unistd.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstring>
#include <fstream>
#include <random>

#include "smpc/base/error.h"
#include "smpc/image/picture.h"

namespace smpc {
namespace {

const std::filesystem::path picture_file = std::filesystem::path(::testing::TempDir()) / ("smpc_picture_test" + std::to_string(::getpid()));

std::vector<std::uint8_t> pixels(std::size_t count) {
  std::mt19937 rng(1);
  std::vector<std::uint8_t> out(count);
  for (auto& p : out) p = static_cast<std::uint8_t>(rng());
  return out;
}

std::string png(std::uint32_t format, unsigned width, unsigned height, const void* data) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_to_memory(&image, nullptr, &size, 0, data, 0, nullptr), 0);
  std::string out(size, '\0');
  EXPECT_NE(png_image_write_to_memory(&image, out.data(), &size, 0, data, 0, nullptr), 0);
  out.resize(size);
  return out;
}

std::string jpeg(int format, int sampling, int width, int height, const std::vector<std::uint8_t>& data) {
  tjhandle handle = tjInitCompress();
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(tjCompress2(handle, data.data(), width, 0, height, format, &buffer, &size, sampling, 95, 0), 0);
  const std::string out(reinterpret_cast<const char*>(buffer), size);
  tjFree(buffer);
  tjDestroy(handle);
  return out;
}

Picture load_pixels(const std::string& bytes) {
  std::ofstream(picture_file, std::ios::binary) << bytes;
  EXPECT_TRUE(is_picture(picture_file));
  return load_picture(picture_file);
}

bool is_refused(const std::string& bytes) {
  std::ofstream(picture_file, std::ios::binary) << bytes;
  try {
    load_picture(picture_file);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
    return true;
  }
  return false;
}

TEST(Pictures, PngComesBackPixelForPixel) {
  const auto grey = pixels(7 * 5);
  const Picture g = load_pixels(png(PNG_FORMAT_GRAY, 7, 5, grey.data()));
  EXPECT_EQ(g.width, 7U);
  EXPECT_EQ(g.height, 5U);
  EXPECT_EQ(g.channels, 1U);
  EXPECT_TRUE(std::equal(g.pixels.begin(), g.pixels.end(), grey.begin(), grey.end()));
  const auto colour = pixels(7 * 5 * 3);
  const Picture c = load_pixels(png(PNG_FORMAT_RGB, 7, 5, colour.data()));
  EXPECT_EQ(c.channels, 3U);
  EXPECT_TRUE(std::equal(c.pixels.begin(), c.pixels.end(), colour.begin(), colour.end()));
}

TEST(Pictures, JpegIsCloseToWhatWasWritten) {
  std::vector<std::uint8_t> grey(32 * 16);
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<std::uint8_t>(i % 32 * 4 + i / 32 * 3);
  const Picture g = load_pixels(jpeg(TJPF_GRAY, TJSAMP_GRAY, 32, 16, grey));
  EXPECT_EQ(g.channels, 1U);
  ASSERT_EQ(g.pixels.size(), grey.size());
  for (std::size_t i = 0; i < grey.size(); ++i) EXPECT_NEAR(g.pixels[i], grey[i], 6);
  std::vector<std::uint8_t> colour(32 * 16 * 3);
  for (std::size_t i = 0; i < colour.size(); ++i) colour[i] = static_cast<std::uint8_t>(i / 3 % 32 * 4 + i % 3 * 40);
  const Picture c = load_pixels(jpeg(TJPF_RGB, TJSAMP_444, 32, 16, colour));
  EXPECT_EQ(c.channels, 3U);
  for (std::size_t i = 0; i < colour.size(); ++i) EXPECT_NEAR(c.pixels[i], colour[i], 8);
}

TEST(Pictures, WhatWouldNeedAGuessIsRefused) {
  const auto grey = pixels(64 * 64 * 4);
  EXPECT_TRUE(is_refused(png(PNG_FORMAT_RGBA, 8, 8, grey.data())));
  EXPECT_TRUE(is_refused(png(PNG_FORMAT_GA, 8, 8, grey.data())));
  std::vector<std::uint16_t> deep(64, 7);
  EXPECT_TRUE(is_refused(png(PNG_FORMAT_LINEAR_Y, 8, 8, deep.data())));
  const std::string plain = jpeg(TJPF_GRAY, TJSAMP_GRAY, 8, 8, grey);
  EXPECT_FALSE(is_refused(plain));
  EXPECT_TRUE(is_refused(jpeg(TJPF_CMYK, TJSAMP_444, 8, 8, grey)));
  // An Exif segment behind the start of the picture, in either byte order: turned, and not turned.
  for (const bool msb : {false, true}) {
    for (const int turn : {1, 6}) {
      std::string exif("Exif\0\0", 6);
      const auto number = [&](unsigned v, int bytes) {
        for (int i = 0; i < bytes; ++i) exif += static_cast<char>(v >> 8 * (msb ? bytes - 1 - i : i));
      };
      exif += msb ? "MM" : "II";
      number(42, 2);
      number(8, 4);
      number(1, 2);
      number(0x0112, 2);
      number(3, 2);
      number(1, 4);
      number(static_cast<unsigned>(turn), 2);
      number(0, 2);
      number(0, 4);
      const std::size_t length = exif.size() + 2;
      const std::string segment = std::string("\xff\xe1", 2) + static_cast<char>(length >> 8) + static_cast<char>(length & 255) + exif;
      EXPECT_EQ(is_refused(plain.substr(0, 2) + segment + plain.substr(2)), turn != 1) << msb << turn;
    }
  }
}

TEST(Pictures, DamageIsRefused) {
  const auto data = pixels(40 * 40 * 3);
  for (const std::string& good : {png(PNG_FORMAT_RGB, 40, 40, data.data()), jpeg(TJPF_RGB, TJSAMP_420, 40, 40, data)}) {
    for (std::size_t size = 0; size + 20 < good.size(); size += 13) EXPECT_TRUE(is_refused(good.substr(0, size))) << size;
    std::mt19937 rng(3);
    for (int run = 0; run < 300; ++run) {  // no more than that it ends
      std::string bad = good;
      for (int i = 0; i < 3; ++i) bad[rng() % bad.size()] ^= static_cast<char>(1 << rng() % 8);
      is_refused(bad);
    }
  }
  EXPECT_TRUE(is_refused("GIF89a"));
  EXPECT_TRUE(is_refused(""));
  // A header that claims 2^31 pixels a side.
  std::string huge = png(PNG_FORMAT_GRAY, 4, 4, data.data());
  std::memcpy(huge.data() + 16, "\x7f\xff\xff\xff\x7f\xff\xff\xff", 8);
  EXPECT_TRUE(is_refused(huge));
  std::filesystem::remove(picture_file);
  EXPECT_THROW(load_picture(picture_file), Error);
  EXPECT_THROW(is_picture("/dev/null"), Error);
}

}  // namespace
}  // namespace smpc
