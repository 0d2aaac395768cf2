// Every refusal names what is wrong.
#include <cmath>
#include <limits>

#include "onnx_builder.h"

namespace smpc::test {
namespace {

TEST(Refuse, fault_46_Opset) {
  EXPECT_TRUE(has(load_error(small_mlp(5)), {"opset 6 to 22", "found 5", "opset_version=18"}));
  EXPECT_TRUE(has(load_error(small_mlp(23)), {"opset 6 to 22", "found 23", "opset_version=18"}));
  OnnxBuilder none = small_mlp();
  none.model.clear_opset_import();
  EXPECT_TRUE(has(load_error(none), {"opset", "none"}));
  OnnxBuilder twice = small_mlp();
  auto& import = *twice.model.add_opset_import();
  import.set_domain("ai.onnx");
  import.set_version(12);
  EXPECT_TRUE(has(load_error(twice), {"twice"}));
}

TEST(Refuse, IrVersion) {
  OnnxBuilder newer = small_mlp(13, 11);
  EXPECT_TRUE(has(load_error(newer), {"IR version 3 to 10", "found 11", "set ir_version = 10"}));
  newer.model.set_ir_version(10);  // as it is told
  EXPECT_EQ(newer.load().opset, 13);
  EXPECT_TRUE(has(load_error(small_mlp(13, 2)), {"found 2"}));
}

TEST(Refuse, fault_46_UnknownOp) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_node(2)->set_op_type("Frobnicate");
  EXPECT_TRUE(has(load_error(b), {"m.onnx", "node 'relu' (Frobnicate)"}));
}

TEST(Refuse, fault_46_OpOfANewerOpset) {
  OnnxBuilder b = small_mlp(13);
  b.graph().mutable_node(2)->set_op_type("Mish");
  EXPECT_TRUE(has(load_error(b), {"node 'relu' (Mish)", "opset 13"}));
}

TEST(Refuse, DeprecatedOp) {
  OnnxBuilder b(10);
  b.input("x", {1, 1, 2, 2});
  b.ints("s", {1});
  b.node("Upsample", {"x", "s"}, {"y"}, "up");
  b.output("y", {1, 1, 2, 2});
  EXPECT_TRUE(has(load_error(b), {"node 'up' (Upsample)", "deprecated"}));
}

TEST(Refuse, fault_46_Domain) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_node(2)->set_domain("com.microsoft");
  EXPECT_TRUE(has(load_error(b), {"node 'relu' (Relu)", "com.microsoft"}));
}

TEST(Refuse, fault_46_UnknownAttribute) {
  OnnxBuilder b = small_mlp();
  OnnxBuilder::set_int(*b.graph().mutable_node(1), "transC", 1);
  EXPECT_TRUE(has(load_error(b), {"node 'fc1' (Gemm)", "attribute 'transC'", "alpha"}));
}

TEST(Refuse, fault_46_AttributeOfAnotherOpset) {
  OnnxBuilder b = small_mlp(7);
  OnnxBuilder::set_int(*b.graph().mutable_node(1), "broadcast", 1);  // gone since opset 7
  EXPECT_TRUE(has(load_error(b), {"'fc1'", "'broadcast'", "opset 7"}));
}

TEST(Refuse, AttributeOfTheWrongType) {
  OnnxBuilder b = small_mlp();
  OnnxBuilder::set_float(*b.graph().mutable_node(0), "axis", 1);
  EXPECT_TRUE(has(load_error(b), {"'flatten'", "'axis'", "expected type INT, found FLOAT"}));
}

TEST(Refuse, AttributeWithTwoValuesOrNone) {
  OnnxBuilder two = small_mlp();
  two.graph().mutable_node(1)->mutable_attribute(0)->set_f(3);
  EXPECT_TRUE(has(load_error(two), {"'transB'", "several"}));
  OnnxBuilder none = small_mlp();
  none.graph().mutable_node(1)->mutable_attribute(0)->clear_i();
  EXPECT_TRUE(has(load_error(none), {"'transB'", "none"}));
  OnnxBuilder twice = small_mlp();
  OnnxBuilder::set_int(*twice.graph().mutable_node(1), "transB", 1);
  EXPECT_TRUE(has(load_error(twice), {"'transB'", "twice"}));
  OnnxBuilder reference = small_mlp();
  reference.graph().mutable_node(1)->mutable_attribute(0)->set_ref_attr_name("t");
  EXPECT_TRUE(has(load_error(reference), {"'transB'"}));
}

TEST(Refuse, Subgraph) {
  OnnxBuilder b(13);
  b.input("x", {1, 2});
  auto& n = b.node("If", {"x"}, {"y"}, "branch");
  OnnxBuilder::attribute(n, "then_branch", onnx::AttributeProto::GRAPH).mutable_g()->set_name("g");
  OnnxBuilder::attribute(n, "else_branch", onnx::AttributeProto::GRAPH).mutable_g()->set_name("g");
  b.output("y", {1, 2});
  EXPECT_TRUE(has(load_error(b), {"node 'branch' (If)", "subgraph"}));
}

TEST(Refuse, InputCount) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_node(2)->add_input("x");
  EXPECT_TRUE(has(load_error(b), {"'relu'", "expected 1 inputs, found 2"}));
}

TEST(Refuse, fault_47_DynamicDimensions) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(2)->set_dim_param(
      "w");
  EXPECT_TRUE(has(load_error(b), {"input 'x'", "dimension 2 is dynamic", "'w'"}));
  OnnxBuilder none = small_mlp();
  none.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_TRUE(has(load_error(none), {"input 'x'", "shape"}));
}

TEST(Refuse, BadInputDimensions) {
  for (const std::int64_t d : {std::int64_t{0}, std::int64_t{-3}}) {
    OnnxBuilder b = small_mlp();
    b.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(1)->set_dim_value(
        d);
    EXPECT_TRUE(has(load_error(b), {"input 'x'", "at least 1", std::to_string(d)}));
  }
  OnnxBuilder b;
  b.input("x", {1, std::int64_t{1} << 40, std::int64_t{1} << 40});
  b.node("Relu", {"x"}, {"y"});
  b.output("y", {1, 2});
  EXPECT_TRUE(has(load_error(b), {"input 'x'", "overflow"}));
}

TEST(Refuse, fault_50_PayloadOneByteOff) {
  for (const int change : {-1, 1}) {
    OnnxBuilder b = small_mlp();
    std::string& raw = *b.graph().mutable_initializer(0)->mutable_raw_data();
    raw.resize(static_cast<std::size_t>(static_cast<int>(raw.size()) + change), '\0');
    EXPECT_TRUE(has(load_error(b), {"initializer 'w1'", "48 bytes", "found " + std::to_string(48 + change)}));
  }
}

TEST(Refuse, fault_50_TypedPayloadOneOff) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_initializer(1)->add_float_data(1);
  EXPECT_TRUE(has(load_error(b), {"initializer 'b1'", "3 values", "found 4"}));
}

TEST(Refuse, PayloadInTwoFields) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_initializer(0)->add_float_data(1);
  EXPECT_TRUE(has(load_error(b), {"'w1'", "one field"}));
  OnnxBuilder other = small_mlp();
  other.graph().mutable_initializer(1)->add_double_data(1);
  EXPECT_TRUE(has(load_error(other), {"'b1'", "one field"}));
}

TEST(Refuse, fault_51_NegativeAndOverflowingDims) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_initializer(0)->set_dims(0, -3);
  EXPECT_TRUE(has(load_error(b), {"'w1'", "at least 0", "-3"}));
  OnnxBuilder big = small_mlp();
  big.graph().mutable_initializer(0)->set_dims(0, std::int64_t{1} << 62);
  EXPECT_TRUE(has(load_error(big), {"'w1'", "overflow"}));
  OnnxBuilder wraps = small_mlp();  // 2^32 * 2^32 is 0 in 64 bits
  wraps.graph().mutable_initializer(0)->set_dims(0, std::int64_t{1} << 32);
  wraps.graph().mutable_initializer(0)->set_dims(1, std::int64_t{1} << 32);
  wraps.graph().mutable_initializer(0)->clear_raw_data();
  EXPECT_TRUE(has(load_error(wraps), {"'w1'", "overflow"}));
}

TEST(Refuse, fault_53_NotFinite) {
  for (const float bad :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    OnnxBuilder raw = small_mlp();
    std::memcpy(raw.graph().mutable_initializer(0)->mutable_raw_data()->data() + 4 * 7, &bad, 4);
    EXPECT_TRUE(has(load_error(raw), {"initializer 'w1'", "element 7"}));
    OnnxBuilder typed = small_mlp();
    typed.graph().mutable_initializer(1)->set_float_data(2, bad);
    EXPECT_TRUE(has(load_error(typed), {"initializer 'b1'", "element 2"}));
    OnnxBuilder constant = small_mlp();
    constant.graph().mutable_node(3)->mutable_attribute(0)->mutable_t()->set_float_data(5, bad);
    EXPECT_TRUE(has(load_error(constant), {"node 'constant'", "element 5"}));
    OnnxBuilder value;
    value.input("x", {1, 1});
    OnnxBuilder::set_float(value.node("Constant", {}, {"c"}, "k"), "value_float", bad);
    value.node("Add", {"x", "c"}, {"y"});
    value.output("y", {1, 1});
    EXPECT_TRUE(has(load_error(value), {"node 'k'", "element 0"}));
  }
}

// A mask has -infinity alone beside finite values. Training again would not help.
TEST(Refuse, fault_53_AMaskOfMinusInfinityIsNamed) {
  const float least = -std::numeric_limits<float>::infinity();
  OnnxBuilder mask = small_mlp();
  mask.graph().mutable_initializer(1)->set_float_data(1, least);
  EXPECT_TRUE(has(load_error(mask), {"initializer 'b1'", "-infinity at element 1", "mask", "-1e4"}));
  mask.graph().mutable_initializer(1)->set_float_data(1, -1e4F);  // as it is told
  EXPECT_EQ(mask.load().opset, 13);
  OnnxBuilder half = small_mlp();
  auto& t = *half.graph().mutable_initializer(1);
  t.clear_float_data();
  t.set_data_type(onnx::TensorProto::FLOAT16);
  for (const int bits : {0x3c00, 0xfc00, 0xfc00}) t.add_int32_data(bits);
  EXPECT_TRUE(has(load_error(half), {"-infinity at element 1", "mask"}));
  t.set_int32_data(0, 0x7c00);
  EXPECT_TRUE(has(load_error(half), {"NaN or infinity at element 0", "train"}));
  OnnxBuilder both = small_mlp();
  both.graph().mutable_initializer(1)->set_float_data(1, least);
  both.graph().mutable_initializer(1)->set_float_data(2, -least);
  EXPECT_TRUE(has(load_error(both), {"NaN or infinity at element 1", "train"}));
}

TEST(Refuse, ElementTypes) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_initializer(0)->set_data_type(onnx::TensorProto::BFLOAT16);
  EXPECT_TRUE(has(load_error(b), {"'w1'", "BFLOAT16", "float32"}));
  b.graph().mutable_initializer(0)->set_data_type(99);
  EXPECT_TRUE(has(load_error(b), {"'w1'"}));
  OnnxBuilder input;
  input.input("x", {1, 2}, onnx::TensorProto::UINT8);
  input.node("Relu", {"x"}, {"y"});
  input.output("y", {1, 2});
  EXPECT_TRUE(has(load_error(input), {"input 'x'", "UINT8"}));
}

TEST(Refuse, fault_49_ExternalDataIsNeverOpened) {
  for (const char* location : {"../../etc/passwd", "/etc/passwd", "link", "w.bin"}) {
    OnnxBuilder b = small_mlp();
    auto& t = *b.graph().mutable_initializer(0);
    t.clear_raw_data();
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    auto& e = *t.add_external_data();
    e.set_key("location");
    e.set_value(location);
    EXPECT_TRUE(has(load_error(b), {"initializer 'w1'", "another file", "not opened"}));
  }
}

TEST(Refuse, fault_48_CyclesAndOrder) {
  OnnxBuilder later = small_mlp();
  later.graph().mutable_node()->SwapElements(1, 2);
  EXPECT_TRUE(has(load_error(later), {"node 'relu'", "'h'", "sort"}));
  OnnxBuilder self = small_mlp();
  self.graph().mutable_node(2)->set_input(0, "r");
  EXPECT_TRUE(has(load_error(self), {"node 'relu'", "'r'", "cycles"}));
  OnnxBuilder missing = small_mlp();
  missing.graph().mutable_node(2)->set_input(0, "nowhere");
  EXPECT_TRUE(has(load_error(missing), {"node 'relu'", "'nowhere'", "nothing computes"}));
  OnnxBuilder output = small_mlp();
  output.graph().mutable_output(0)->set_name("z");
  EXPECT_TRUE(has(load_error(output), {"output 'z'"}));
}

TEST(Refuse, fault_48_DuplicateNames) {
  OnnxBuilder value = small_mlp();
  value.graph().mutable_node(2)->set_output(0, "h");
  EXPECT_TRUE(has(load_error(value), {"'h'", "taken"}));
  OnnxBuilder node = small_mlp();
  node.graph().mutable_node(2)->set_name("fc1");
  EXPECT_TRUE(has(load_error(node), {"'fc1'", "another node"}));
  OnnxBuilder initializer = small_mlp();
  initializer.graph().mutable_initializer(1)->set_name("w1");
  EXPECT_TRUE(has(load_error(initializer), {"'w1'", "twice"}));
  OnnxBuilder input = small_mlp();
  *input.graph().add_input() = input.graph().input(0);
  EXPECT_TRUE(has(load_error(input), {"'x'", "taken"}));
  OnnxBuilder shadow = small_mlp();
  shadow.graph().mutable_node(2)->set_output(0, "w1");
  EXPECT_TRUE(has(load_error(shadow), {"'w1'", "taken"}));
  OnnxBuilder metadata = small_mlp();
  metadata.model.add_metadata_props()->set_key("k");
  metadata.model.add_metadata_props()->set_key("k");
  EXPECT_TRUE(has(load_error(metadata), {"'k'", "twice"}));
}

TEST(Refuse, InitializerUnlikeItsInput) {
  OnnxBuilder b = small_mlp(9, 3);
  b.graph().mutable_input(1)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_value(4);
  EXPECT_TRUE(has(load_error(b), {"initializer 'w1'", "type or shape"}));
  OnnxBuilder unlisted = small_mlp(9, 4);
  unlisted.model.set_ir_version(3);
  EXPECT_TRUE(has(load_error(unlisted), {"'w1'", "IR version 3"}));
}

TEST(Refuse, Extensions) {
  OnnxBuilder sparse = small_mlp();
  sparse.graph().add_sparse_initializer()->mutable_values()->set_name("s");
  EXPECT_TRUE(has(load_error(sparse), {"sparse initializer 's'"}));
  OnnxBuilder function = small_mlp();
  function.model.add_functions()->set_name("f");
  EXPECT_TRUE(has(load_error(function), {"function 'f'"}));
  OnnxBuilder training = small_mlp();
  training.model.add_training_info();
  EXPECT_TRUE(has(load_error(training), {"training"}));
  OnnxBuilder quantised = small_mlp();
  quantised.graph().add_quantization_annotation()->set_tensor_name("w1");
  EXPECT_TRUE(has(load_error(quantised), {"quantisation annotation", "'w1'"}));
  OnnxBuilder segment = small_mlp();
  segment.graph().mutable_initializer(0)->mutable_segment()->set_begin(0);
  EXPECT_TRUE(has(load_error(segment), {"'w1'", "segment"}));
}

TEST(Refuse, UnknownFields) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_initializer(0)->mutable_unknown_fields()->AddLengthDelimited(900, "weights may hide here");
  EXPECT_TRUE(has(load_error(b), {"field 900", "TensorProto"}));
}

TEST(Refuse, ATensorInAnAttribute) {
  OnnxBuilder b(13);
  b.input("x", {1, 2});
  auto& n = b.node("ConstantOfShape", {"s"}, {"c"}, "fill");
  OnnxBuilder::fill(*OnnxBuilder::attribute(n, "value", onnx::AttributeProto::TENSOR).mutable_t(), {2}, {1, 2}, false);
  b.ints("s", {2});
  b.node("Add", {"x", "c"}, {"y"});
  b.output("y", {1, 2});
  EXPECT_TRUE(has(load_error(b), {"node 'fill'", "'value'"}));
}

TEST(Refuse, LongNamesAreCutShort) {
  OnnxBuilder b = small_mlp();
  b.graph().mutable_node(2)->set_op_type(std::string(100000, 'x'));
  b.graph().mutable_node(2)->set_name(std::string(100000, 'n') + "\n");
  EXPECT_LT(load_error(b).size(), 600U);
}

}  // namespace
}  // namespace smpc::test
