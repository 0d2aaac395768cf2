// What a client brings, against what a program wants.
#include <gtest/gtest.h>
#include <png.h>
#include <stdlib.h>

#include <fstream>
#include <memory>

#include "smpc/base/error.h"
#include "smpc/input/inputs.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

class Bringing : public ::testing::Test {
 protected:
  Bringing() {
    char name[] = "/tmp/smpc-inputs-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~Bringing() override { fs::remove_all(folder_); }

  // Doubles 0, 1, 2, ... of some shape.
  fs::path array(const std::string& name, const std::vector<std::size_t>& shape, double first = 0) const {
    std::string tuple = "(";
    for (const std::size_t d : shape) tuple += std::to_string(d) + ",";
    std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + tuple + ")}\n";
    std::string out("\x93NUMPY\1\0", 8);
    out += static_cast<char>(header.size());
    out += '\0';
    out += header;
    for (std::size_t i = 0; i < elements_of(shape); ++i) {
      const double v = first + static_cast<double>(i);
      out.append(reinterpret_cast<const char*>(&v), sizeof v);
    }
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << out;
    return path;
  }
  std::string error(const std::vector<InputFile>& files, const Program& p) const {
    try {
      array_inputs(files)->samples(p);
    } catch (const Error& e) {
      return e.what();
    }
    return {};
  }
  static bool has(const std::string& text, const std::vector<std::string>& words) {
    return std::all_of(words.begin(), words.end(), [&](const auto& w) { return text.find(w) != text.npos; });
  }

  fs::path folder_;
};

Program of(std::vector<ProgramInput> inputs) {
  Program p;
  p.inputs = std::move(inputs);
  return p;
}

TEST_F(Bringing, ArraysByNameOneSampleOrSeveral) {
  const Program p = of({{"a", {2, 3}, -9, 9}, {"b", {4}, -9, 9}});
  const auto one = array_inputs({{"b", array("b", {4}, 10)}, {"a", array("a", {2, 3})}});
  EXPECT_EQ(one->samples(p), 1U);
  EXPECT_EQ(one->sample(p, 0), (SecretVector<double>{0, 1, 2, 3, 4, 5, 10, 11, 12, 13}));
  const auto two = array_inputs({{"a", array("a2", {2, 2, 3})}, {"b", array("b2", {2, 4}, 100)}});
  EXPECT_EQ(two->samples(p), 2U);
  EXPECT_EQ(two->sample(p, 1), (SecretVector<double>{6, 7, 8, 9, 10, 11, 104, 105, 106, 107}));
  const Program single = of({{"x", {3}, -9, 9}});
  EXPECT_EQ(array_inputs({{"", array("x", {3})}})->sample(single, 0), (SecretVector<double>{0, 1, 2}));
  EXPECT_EQ(array_inputs({{"x", array("x1", {1, 3})}})->samples(single), 1U);
}

TEST_F(Bringing, WhatDoesNotFitIsRefusedByName) {
  const Program p = of({{"a", {2, 3}, -9, 9}, {"b", {4}, -9, 9}});
  const InputFile a{"a", array("a", {2, 3})};
  EXPECT_TRUE(has(error({a}, p), {"'a', 'b'", "none for 'b'"}));
  EXPECT_TRUE(has(error({a, {"b", array("b", {5})}}, p), {"4 values", "'b'", "found 5"}));
  EXPECT_TRUE(has(error({a, {"b", array("b", {4, 1})}}, p), {"found 4 x 1"}));
  EXPECT_TRUE(has(error({a, {"b", array("b", {3, 4})}}, p), {"as many samples", "1", "found 3"}));
  EXPECT_TRUE(has(error({a, {"b", array("b", {4})}, {"c", array("c", {4})}}, p), {"--input c", "'a', 'b'"}));
  EXPECT_TRUE(has(error({{"", array("x", {2, 3})}}, p), {"none for 'a'"}));
  EXPECT_THROW(array_inputs({a, a}), Error);
  EXPECT_THROW(array_inputs({{"a", folder_ / "none"}}), Error);
  EXPECT_EQ(input_file_of("x=/a=b").path, "/a=b");
  EXPECT_EQ(input_file_of("=f").name, "");
  EXPECT_THROW(input_file_of("f"), Error);
  EXPECT_THROW(input_file_of("x="), Error);
}

TEST_F(Bringing, APictureBecomesValuesByTheRuleAlone) {
  const std::uint8_t grey[6] = {0, 51, 102, 153, 204, 255};
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 3;
  image.height = 2;
  image.format = PNG_FORMAT_GRAY;
  const fs::path path = folder_ / "p.png";
  ASSERT_NE(png_image_write_to_file(&image, path.c_str(), 0, grey, 0, nullptr), 0);
  const auto picture = picture_input(path);
  Program p = of({{"x", {1, 2, 3}, -9, 9, PictureRule{2, 3, 1, false, 1.0 / 255, {0.5}, {0.25}}}});
  EXPECT_EQ(picture->samples(p), 1U);
  const auto values = picture->sample(p, 0);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values[i], (0.2 * static_cast<double>(i) - 0.5) / 0.25, 1e-12);
  // Grey in three channels, either layout.
  p.inputs[0].picture = PictureRule{2, 3, 3, false, 1, {0, 1, 2}, {1, 1, 2}};
  EXPECT_EQ(picture->sample(p, 0)[6 + 1], 50);
  EXPECT_EQ(picture->sample(p, 0)[12 + 1], 24.5);
  p.inputs[0].picture->channels_last = true;
  EXPECT_EQ(picture->sample(p, 0)[3 + 1], 50);
  const auto refused = [&](const Program& program, const Inputs& in) {
    try {
      in.samples(program);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  p.inputs[0].picture->height = 3;
  EXPECT_TRUE(has(refused(p, *picture), {"3 x 3 pixels", "found 3 x 2"}));
  p.inputs[0].picture.reset();
  EXPECT_TRUE(has(refused(p, *picture), {"--preprocess", "--input"}));
  const std::uint8_t colour[18] = {};
  image.format = PNG_FORMAT_RGB;
  ASSERT_NE(png_image_write_to_file(&image, path.c_str(), 0, colour, 0, nullptr), 0);
  p.inputs[0].picture = PictureRule{2, 3, 1, false, 1, {0}, {1}};
  EXPECT_TRUE(has(refused(p, *picture_input(path)), {"grey", "coloured"}));
}

}  // namespace
}  // namespace smpc
