// Files that a clinician or a model's owner may be handed: each is refused by the tool as a process, in one line, with little
// memory, and nothing is spent.
#include <onnx/onnx_pb.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "faults/world.h"
#include "image/nifti_writer.h"
#include "support/sample_files.h"

namespace smpc::faults {
namespace {

namespace fs = std::filesystem;
using onnx::ModelProto;
using testing::nifti_file;
using testing::NiftiSpec;

constexpr int bad_input = 3;
const std::string first_weights = "fc0.weight";  // the model's first initializer

class Files : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_GE(refused_, 1); }

  void expect_line(const Outcome& o, const std::vector<std::string>& words) {
    expect_refused(o, bad_input, words);
    EXPECT_GT(o.peak_kb, 0);
    EXPECT_LT(o.peak_kb, memory_cap_kb);
    EXPECT_LT(o.seconds, 20);
    ++refused_;
  }
  fs::path written(const std::string& name, const std::string& bytes) {
    const fs::path path = world_.folder / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  World world_;
  int refused_ = 0;
};

class Scans : public Files {
 protected:
  Scans() {
    world_.start();
    world_.expect_good();
    before_ = world_.spent();
    spec_.dim = {3, 5, 4, 3, 1, 1, 1, 1};
  }
  void TearDown() override {
    EXPECT_EQ(world_.spent(), before_);  // not a bundle
    EXPECT_EQ(world_.server->log().find("4.25"), std::string::npos);
    world_.expect_good();
    Files::TearDown();
  }

  void refused(const fs::path& scan, const std::vector<std::string>& words) {
    SCOPED_TRACE(scan.filename());
    const Outcome o = world_.run_client({"--image", scan.string(), "--json"}, {.environment = world_.traced("client")});
    expect_line(o, words);
    EXPECT_EQ(o.err.find("4.25"), std::string::npos) << o.err;
  }
  void refused(const NiftiSpec& spec, const std::vector<std::string>& words) {
    refused(written("bad.nii", nifti_file(spec, voxels_)), words);
  }
  std::string whole() const { return nifti_file(spec_, voxels_); }

  NiftiSpec spec_;
  std::vector<float> voxels_ = std::vector<float>(60, 4.25F);
  std::size_t before_ = 0;
};

TEST_F(Scans, fault_56_ABrokenGzip) {
  const std::string packed = testing::gzip(whole());
  refused(written("cut.nii.gz", packed.substr(0, packed.size() / 2)), {});
  std::string sum = packed;
  sum[sum.size() - 8] = static_cast<char>(sum[sum.size() - 8] ^ 1);
  refused(written("sum.nii.gz", sum), {});
  refused(written("more.nii.gz", packed + packed), {});
  refused(written("bytes.nii.gz", packed + "x"), {"nothing but zeros after the last gzip member"});
}

TEST_F(Scans, fault_57_AGzipBomb) {
  const fs::path bomb = world_.folder / "bomb.nii.gz";
  gzFile out = gzopen(bomb.c_str(), "wb");  // piece by piece: what a child holds at first is what this process holds
  const std::string start = whole();
  gzwrite(out, start.data(), static_cast<unsigned>(start.size()));
  const std::string zeros(std::size_t{1} << 20, '\0');
  for (int i = 0; i < 1024; ++i) gzwrite(out, zeros.data(), static_cast<unsigned>(zeros.size()));
  gzclose(out);
  refused(bomb, {});
}

TEST_F(Scans, fault_58_OtherDimensions) {
  spec_.dim = {3, 5, 4, 4, 1, 1, 1, 1};
  voxels_.resize(80, 4.25F);
  refused(spec_, {"5 x 4 x 3", "5 x 4 x 4"});
}

TEST_F(Scans, fault_59_ImpossibleDimensions) {
  for (const std::int64_t rank : {0, 8, -1}) {
    spec_.dim[0] = rank;
    refused(spec_, {"dim"});
  }
  spec_.dim = {3, -5, 4, 3, 1, 1, 1, 1};
  refused(spec_, {"dim"});
}

TEST_F(Scans, fault_60_AHugeClaim) {
  spec_.dim = {4, 32767, 32767, 32767, 32767, 1, 1, 1};
  voxels_.resize(6);
  refused(spec_, {});
}

TEST_F(Scans, fault_61_VoxelsThatAreNoNumbers) {
  voxels_[7] = std::numeric_limits<float>::quiet_NaN();
  refused(spec_, {"finite"});
  voxels_[7] = std::numeric_limits<float>::infinity();
  refused(spec_, {"finite"});
}

TEST_F(Scans, fault_63_AnInfiniteSlope) {
  spec_.slope = std::numeric_limits<double>::infinity();
  refused(spec_, {"scl_slope"});
}

TEST_F(Scans, fault_64_ImpossibleDataOffsets) {
  for (const double offset : {std::nan(""), 1e30, -4.0}) {
    spec_.vox_offset = offset;
    refused(spec_, {"vox_offset"});
  }
}

TEST_F(Scans, fault_65_WhatIsNoFile) {
  refused(written("empty.nii", ""), {});
  refused(fs::path("/dev/zero"), {"/dev/zero"});
  refused(world_.folder / "id", {});
  const fs::path fifo = world_.folder / "fifo.nii";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  refused(fifo, {"fifo.nii"});
  refused(world_.folder / "nowhere.nii", {"nowhere.nii"});
}

TEST_F(Scans, fault_66_AnotherFormat) {
  spec_.magic = std::string("abc\0", 4);
  refused(spec_, {});
  spec_.magic.clear();
  spec_.datatype = DT_COMPLEX64;
  spec_.bitpix = 64;
  refused(spec_, {"complex"});
}

TEST_F(Scans, fault_67_AnotherGrid) {
  spec_.srow[0] = 4;
  refused(spec_, {"left-right"});
  spec_.srow[0] = -4;
  spec_.srow[7] = -124;
  refused(spec_, {"2", "mm"});
}

class Models : public Files {
 protected:
  void TearDown() override {
    EXPECT_FALSE(fs::exists(world_.folder / "out"));
    world_.start();  // the right model is still served
    world_.expect_good();
    Files::TearDown();
  }
  void refused(const fs::path& model, const std::vector<std::string>& words, std::vector<std::string> more = {}) {
    SCOPED_TRACE(model.filename());
    more.insert(more.begin(), {model.string(), "-o", (world_.folder / "out").string()});
    expect_line(testing::run("smpc-compile", more, 60), words);
  }
  template <class Spoil>
  void spoilt(Spoil spoil, const std::vector<std::string>& words) {
    std::ifstream in(world_.folder / "model.onnx", std::ios::binary);
    ModelProto model;
    ASSERT_TRUE(model.ParseFromIstream(&in));
    spoil(*model.mutable_graph());
    refused(written("bad.onnx", model.SerializeAsString()), words);
  }
  std::string whole() const {
    std::ifstream in(world_.folder / "model.onnx", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(Models, fault_44_CutOrRandom) {
  const std::string bytes = whole();
  refused(written("cut.onnx", bytes.substr(0, bytes.size() / 3)), {"cut.onnx"});
  refused(written("noise.onnx", std::string(3000, '\x5a')), {"noise.onnx"});
  refused(written("empty.onnx", ""), {"empty.onnx"});
}

TEST_F(Models, fault_45_NestedDeep) {
  std::string nested;  // a group (wire type 3) of field 15, again and again
  for (int i = 0; i < 100'000; ++i) nested += '\x7b';
  refused(written("deep.onnx", whole() + nested), {"deep.onnx"});
}

TEST_F(Models, fault_46_UnknownOpsAndAttributes) {
  spoilt([](auto& g) { g.mutable_node(1)->set_op_type("Nonsense"); }, {"Nonsense"});
  spoilt([](auto& g) { g.mutable_node(1)->set_domain("com.example"); }, {"com.example"});
  spoilt(
      [](auto& g) {
        auto& a = *g.mutable_node(1)->add_attribute();
        a.set_name("turbo");
        a.set_type(onnx::AttributeProto::INT);
        a.set_i(1);
      },
      {"turbo"});
}

TEST_F(Models, fault_47_ADynamicDimension) {
  spoilt([](auto& g) { g.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(2)->set_dim_param("h"); },
         {"volume"});
}

TEST_F(Models, fault_48_CyclesAndDuplicates) {
  spoilt([](auto& g) { g.mutable_node(0)->set_input(0, "logits"); }, {"logits"});
  spoilt([](auto& g) { g.mutable_node(1)->set_output(0, g.node(0).output(0)); }, {});
}

TEST_F(Models, fault_49_ExternalData) {
  // The last one is beside the model, and has other bytes than are wanted.
  for (const std::string place : {"../id/ca.key.pem", "/etc/passwd", "model.onnx"}) {
    spoilt(
        [&](auto& g) {
          auto& t = *g.mutable_initializer(0);
          t.clear_raw_data();
          t.set_data_location(onnx::TensorProto::EXTERNAL);
          auto& e = *t.add_external_data();
          e.set_key("location");
          e.set_value(place);
        },
        {place == "model.onnx" ? "dimensions" : "another file"});
  }
}

TEST_F(Models, fault_50_APayloadThatIsOneByteOff) {
  spoilt([](auto& g) { g.mutable_initializer(0)->mutable_raw_data()->pop_back(); }, {first_weights});
  spoilt([](auto& g) { g.mutable_initializer(0)->mutable_raw_data()->push_back('\0'); }, {first_weights});
}

TEST_F(Models, fault_51_ImpossibleDimensions) {
  spoilt([](auto& g) { g.mutable_initializer(0)->set_dims(0, -9); }, {first_weights});
  spoilt([](auto& g) { g.mutable_initializer(0)->set_dims(0, std::int64_t{1} << 62); }, {first_weights});
}

TEST_F(Models, fault_52_ImpossibleConvolutions) {
  testing::write_random_cnn(world_.folder / "cnn.onnx", {9, 9, 9}, 3);
  const auto conv = [&](const std::string& attribute, std::int64_t value, const std::vector<std::string>& words) {
    std::ifstream in(world_.folder / "cnn.onnx", std::ios::binary);
    ModelProto model;
    ASSERT_TRUE(model.ParseFromIstream(&in));
    auto& node = *model.mutable_graph()->mutable_node(0);
    for (auto& a : *node.mutable_attribute()) {
      if (a.name() == attribute) a.set_ints(0, value);
    }
    if (attribute == "group") {
      auto& a = *node.add_attribute();
      a.set_name("group");
      a.set_type(onnx::AttributeProto::INT);
      a.set_i(value);
    }
    refused(written("conv.onnx", model.SerializeAsString()), words);
  };
  conv("strides", 0, {"conv1", "strides"});
  conv("group", 0, {"conv1", "groups"});
  conv("pads", -5, {"conv1", "pads"});
}

TEST_F(Models, fault_53_WeightsThatAreNoNumbers) {
  spoilt(
      [](auto& g) {
        const float none = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(g.mutable_initializer(0)->mutable_raw_data()->data() + 8, &none, sizeof none);
      },
      {first_weights, "2"});
}

TEST_F(Models, fault_54_ValuesThatNoRingHolds) {
  refused(world_.folder / "model.onnx", {"layer", "bits", "--input-range"}, {"--input-range", "1e15"});
}

}  // namespace
}  // namespace smpc::faults
