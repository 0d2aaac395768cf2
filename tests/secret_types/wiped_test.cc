// Memory that held a secret holds it no more when it is given back. Every block that this binary frees is searched, while a
// test asks for it, for a pattern of eight bytes that the test has put into its secrets.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>

#include "image/nifti_writer.h"
#include "model/onnx_builder.h"
#include "secret_types/freed_memory.h"
#include "smpc/compiler/compile.h"
#include "smpc/crypto/random.h"
#include "smpc/image/volume_reader.h"
#include "smpc/model/strip.h"
#include "smpc/ring/bit_vector.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::test {
namespace {

// How many blocks that `run` gave back still held the pattern.
template <class F>
std::size_t left_behind(std::uint64_t pattern, F run) {
  search_freed_memory(pattern);
  run();
  const std::size_t found = blocks_found();
  search_freed_memory(0);
  return found;
}

constexpr std::uint64_t pattern = 0x3fb1'2345'3fb1'2345;  // two floats of 1.384, one double of 0.067
const float as_float = std::bit_cast<float>(std::uint32_t{0x3fb1'2345});
const double as_double = std::bit_cast<double>(pattern);

TEST(WipedMemory, WhatIsNotWipedIsFound) {
  EXPECT_EQ(left_behind(pattern, [] { std::vector<double>(1000, as_double); }), 1U);
}

TEST(WipedMemory, OfVectorsAlsoWhenTheyGrow) {
  const auto run = [] {
    SecretVector<double> v;
    for (int i = 0; i < 10000; ++i) v.push_back(as_double);
    SecretVector<double> copy(v);
    copy.resize(3);
    v = copy;
    copy.shrink_to_fit();
  };
  EXPECT_EQ(left_behind(pattern, run), 0U);
}

TEST(WipedMemory, OfKeys) {
  std::array<std::uint64_t, 4> words;
  words.fill(pattern);
  const auto bytes = std::as_bytes(std::span(words));
  const auto run = [&] {
    std::vector<Key> keys;
    for (int i = 0; i < 100; ++i) keys.emplace_back(bytes);
  };
  EXPECT_EQ(left_behind(pattern, run), 0U);
}

// 40 inputs, 12 hidden, 3 classes; every weight is the pattern.
OnnxBuilder model(bool raw) {
  OnnxBuilder b;
  b.input("x", {-1, 40});
  b.output("y", {-1, 3});
  b.weights("w1", {12, 40}, std::vector<float>(480, as_float), raw);
  b.weights("b1", {12}, std::vector<float>(12, as_float), raw);
  b.weights("w2", {12, 3}, std::vector<float>(36, as_float), raw);
  b.weights("b2", {3}, std::vector<float>(3, as_float), raw);
  OnnxBuilder::set_int(b.node("Gemm", {"x", "w1", "b1"}, {"h"}, "fc1"), "transB", 1);
  b.node("Relu", {"h"}, {"r"});
  b.node("Gemm", {"r", "w2", "b2"}, {"y"}, "fc2");
  return b;
}

TEST(WipedMemory, OfWeightsFromTheFileToTheProgram) {
  for (const bool raw : {true, false}) {
    const Bytes file = model(raw).bytes();
    const auto run = [&] {
      Model m = load_model(file, "m");
      const std::map<std::string, std::string> metadata = m.metadata;
      CompileOptions options;
      options.input_range = 8;
      const Compiled c = compile(build_network(std::move(m)), options, metadata);
      ASSERT_EQ(c.weights.size(), 2U);
    };
    EXPECT_EQ(left_behind(pattern, run), 0U) << raw;
  }
}

TEST(WipedMemory, OfAWeightsFileThatIsLoaded) {
  const Stripped s = strip(model(true).bytes(), "m", "");
  EXPECT_EQ(left_behind(pattern, [&] { build_network(load_weights(s.weights, "m")); }), 0U);
}

// A file of 24 voxels a volume, each the pattern as the file stores it and as it is read.
TEST(WipedMemory, OfVoxelsFromTheFileToTheClientsInput) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "smpc_wiped_test.nii";
  testing::NiftiSpec spec;
  spec.dim = {4, 4, 3, 2, 2, 1, 1, 1};
  spec.datatype = DT_FLOAT64;
  spec.bitpix = 64;
  std::ofstream(path, std::ios::binary) << testing::nifti_file(spec, std::vector<double>(48, as_double));
  const auto run = [&] {
    VolumeReader reader(path, VolumeSelection{.all = true});
    const Scan scan = load_scan(path, VolumeSelection{.all = true});
    ASSERT_EQ(scan.volumes[1], reader.next());
    Program program;
    program.inputs = {{"x", {24}, -1, 1}};
    program.tensors.push_back({24, 8, Ring{16}});
    ASSERT_EQ(quantise(program, reader.next(), "a volume").size(), 24U);
  };
  EXPECT_EQ(left_behind(pattern, run), 0U);
  std::filesystem::remove(path);
}

// A client's input in fixed point, and the shares that it takes part in.
TEST(WipedMemory, OfFixedPointInputsAndShares) {
  const auto run = [] {
    std::vector<RingVector> batch(3, RingVector(100, pattern));
    RingVector all;
    for (const RingVector& v : batch) all.insert(all.end(), v.begin(), v.end());
    const BitVector bits = bit_slice(all, 0) ^ bit_slice(all, 1);
    ASSERT_EQ(bits.size(), 300U);
  };
  EXPECT_EQ(left_behind(pattern, run), 0U);
}

}  // namespace
}  // namespace smpc::test
