#include "smpc/model/strip.h"

#include <onnx/checker.h>

#include <algorithm>
#include <set>

#include "onnx_builder.h"
#include "smpc/base/digest.h"

namespace smpc::test {
namespace {

onnx::ModelProto parse(ByteView bytes) {
  onnx::ModelProto m;
  EXPECT_TRUE(m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return m;
}

bool contains(ByteView where, ByteView what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

// small_mlp with metadata, documentation, a shape constant and one more weight of each kind of Constant node.
OnnxBuilder rich(int opset, int ir) {
  OnnxBuilder b = small_mlp(opset, ir);
  auto& p = *b.model.add_metadata_props();
  p.set_key("smpc.labels");
  p.set_value("[\"a\", \"b\"]");
  b.model.set_doc_string("about");
  b.graph().mutable_node(1)->set_doc_string("the first layer");
  b.graph().mutable_initializer(0)->set_doc_string("trained");
  b.graph().mutable_output(0)->set_name("z");
  b.ints("shape", {-1, 2});
  if (ir < 4) b.input("shape", {2}, onnx::TensorProto::INT64);
  b.node("Reshape", {"y", "shape"}, {"y2"}, "reshape");
  if (opset < 12) {
    b.node("Identity", {"y2"}, {"z"});
    return b;
  }
  OnnxBuilder::set_float(b.node("Constant", {}, {"c"}, "scalar"), "value_float", 0.75F);
  auto& a =
      OnnxBuilder::attribute(b.node("Constant", {}, {"cs"}, "list"), "value_floats", onnx::AttributeProto::FLOATS);
  a.add_floats(0.0625F);
  a.add_floats(-0.0625F);
  b.node("Add", {"y2", "c"}, {"y3"});
  b.node("Add", {"y3", "cs"}, {"z"});
  return b;
}

class StripVersions : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(StripVersions, JoinsBackByteForByte) {
  const auto [opset, ir] = GetParam();
  const OnnxBuilder b = rich(opset, ir);
  const Stripped s = strip(b.bytes(), "m.onnx", "{\"reveal\":\"label\"}");
  EXPECT_EQ(public_bytes(join(s.model, s.weights, "m.weights")), b.bytes());
  EXPECT_EQ(read_weights_header(s.weights, "m.weights").options, "{\"reveal\":\"label\"}");
  EXPECT_EQ(read_weights_header(s.weights, "m.weights").stripped, s.model);
}

TEST_P(StripVersions, StrippedModelIsValidAndHasInputsForItsWeights) {
  const auto [opset, ir] = GetParam();
  const Stripped s = strip(rich(opset, ir).bytes(), "m.onnx", "");
  onnx::ModelProto m = parse(s.model);
  if (opset <= 17 && ir <= 8) {
    EXPECT_NO_THROW(onnx::checker::check_model(m));
  }
  std::set<std::string> inputs;
  for (const auto& v : m.graph().input()) EXPECT_TRUE(inputs.insert(v.name()).second);
  for (const char* name : {"x", "w1", "b1", "w2"}) EXPECT_EQ(inputs.count(name), 1U) << name;
  ASSERT_EQ(m.graph().initializer_size(), 1);
  EXPECT_EQ(m.graph().initializer(0).name(), "shape");
  for (const auto& v : m.graph().input()) {
    if (v.name() != "w2") continue;
    EXPECT_EQ(v.type().tensor_type().elem_type(), onnx::TensorProto::FLOAT);
    ASSERT_EQ(v.type().tensor_type().shape().dim_size(), 2);
    EXPECT_EQ(v.type().tensor_type().shape().dim(0).dim_value(), 3);
  }
  ASSERT_EQ(m.metadata_props_size(), 2);
  EXPECT_EQ(m.metadata_props(1).key(), stripped_mark);
  EXPECT_EQ(m.doc_string(), "about");
  require_stripped(s.model, "m.stripped.onnx");
}

INSTANTIATE_TEST_SUITE_P(Strip, StripVersions,
                         ::testing::Values(std::pair{7, 3}, std::pair{9, 3}, std::pair{9, 4}, std::pair{11, 6},
                                           std::pair{13, 7}, std::pair{17, 8}, std::pair{18, 8}, std::pair{18, 9}));

TEST(Strip, NoWeightIsLeftInAnyEncoding) {
  const OnnxBuilder b = rich(13, 7);
  const Stripped s = strip(b.bytes(), "m.onnx", "");
  const Model m = b.load();
  int seen = 0;
  for (const auto& [name, tensor] : m.constants) {
    const auto* values = std::get_if<SecretVector<float>>(&tensor.values);
    if (values == nullptr) continue;
    for (const float v : *values) {
      EXPECT_FALSE(contains(s.model, std::as_bytes(std::span(&v, 1)))) << name;
      EXPECT_TRUE(contains(s.weights, std::as_bytes(std::span(&v, 1)))) << name;
      ++seen;
    }
  }
  EXPECT_EQ(seen, 12 + 3 + 6 + 1 + 2);
  EXPECT_FALSE(contains(s.model, as_bytes("trained")));
}

TEST(Strip, LargeIntegerTensorsAreWeightsToo) {
  OnnxBuilder b = small_mlp();
  b.ints("table", std::vector<std::int64_t>(65, 123456789));
  const Stripped s = strip(b.bytes(), "m.onnx", "");
  EXPECT_EQ(parse(s.model).graph().initializer_size(), 0);
  EXPECT_EQ(public_bytes(join(s.model, s.weights, "m")), b.bytes());
}

TEST(Strip, fault_55_AWeightLeftInIsRefused) {
  const OnnxBuilder b = small_mlp();
  EXPECT_TRUE(has(error_of([&] { require_stripped(b.bytes(), "m"); }), {"weight left", "initializer 'w1'"}));
  OnnxBuilder constant = small_mlp();
  constant.graph().clear_initializer();
  constant.input("w1", {3, 4});
  constant.input("b1", {3});
  EXPECT_TRUE(has(error_of([&] { require_stripped(constant.bytes(), "m"); }), {"weight left", "node 'constant'"}));
}

TEST(Strip, RefusesWhatLoadingRefuses) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_node(2)->set_op_type("Frobnicate");
  EXPECT_TRUE(has(error_of([&] { strip(b.bytes(), "m.onnx", ""); }), {"Frobnicate"}));
}

TEST(Strip, TheModelOfAWeightsFileIsTheOriginal) {
  const OnnxBuilder b = rich(13, 7);
  const Stripped s = strip(b.bytes(), "m.onnx", "");
  const Model original = b.load();
  const Model joined = load_weights(s.weights, "m.weights");
  ASSERT_EQ(joined.constants.size(), original.constants.size());
  for (const auto& [name, tensor] : original.constants) {
    EXPECT_EQ(joined.constants.at(name).dims, tensor.dims) << name;
    EXPECT_EQ(joined.constants.at(name).values, tensor.values) << name;
  }
  ASSERT_EQ(joined.nodes.size(), original.nodes.size());
  for (std::size_t i = 0; i < joined.nodes.size(); ++i)
    EXPECT_EQ(describe(joined.nodes[i]), describe(original.nodes[i]));
  EXPECT_EQ(joined.inputs.size(), 1U);
  EXPECT_EQ(joined.metadata, original.metadata);
}

TEST(Strip, TheSameBytesEveryTime) {
  const Stripped a = strip(rich(13, 7).bytes(), "m", "o");
  const Stripped b = strip(rich(13, 7).bytes(), "m", "o");
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.weights, b.weights);
}

TEST(Join, AnotherModelsWeights) {
  const Stripped s = strip(small_mlp().bytes(), "m", "");
  const Stripped other = strip(rich(13, 7).bytes(), "m", "");
  EXPECT_TRUE(has(error_of([&] { join(other.model, s.weights, "m.weights"); }), {"m.weights", "not the one"}));
}

TEST(Join, EveryFlippedByteAndEveryCut) {
  const Stripped s = strip(small_mlp().bytes(), "m", "options");
  for (std::size_t i = 0; i < s.weights.size(); ++i) {
    Bytes flipped = public_bytes(s.weights);
    flipped[i] ^= std::byte{0x10};
    EXPECT_THROW(join(s.model, flipped, "w"), Error) << i;
    EXPECT_THROW(join(s.model, ByteView(s.weights).first(i), "w"), Error) << i;
  }
  Bytes longer = public_bytes(s.weights);
  longer.push_back(std::byte{0});
  EXPECT_THROW(join(s.model, longer, "w"), Error);
}

// Forged: the digest is right, the content is not.
TEST(Join, ForgedContentsNeverCrash) {
  const Stripped s = strip(small_mlp().bytes(), "m", "options");
  int refused = 0;
  for (std::size_t i = 8; i + 32 < s.weights.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      Bytes forged(s.weights.begin(), s.weights.end() - 32);
      forged[i] ^= std::byte{1} << bit;
      const Digest d = sha256(forged);
      forged.insert(forged.end(), d.begin(), d.end());
      try {
        load_weights(forged, "w");
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace smpc::test
