// Models of newer exporters: opsets 18 to 22, whose changed ops no schema of the library knows, and IR version 10. What each op has
// is taken from ONNX's docs/Changelog.md.
#include "onnx_builder.h"
#include "smpc/model/strip.h"

namespace smpc::test {
namespace {

// A model of one node with as many inputs and outputs.
OnnxBuilder one_node(const std::string& op, int opset, int inputs, int outputs = 1) {
  OnnxBuilder b(opset, 8);
  auto& n = b.node(op, {}, {}, "n");
  for (int i = 0; i < inputs; ++i) {
    const std::string name = "x" + std::to_string(i);
    b.input(name, {1, 2});
    n.add_input(name);
  }
  for (int i = 0; i < outputs; ++i) n.add_output("y" + std::to_string(i));
  b.output("y0", {1, 2});
  return b;
}

struct Case {
  const char* op;
  int opset;
  int most_inputs;
  const char* gone;     // an attribute of an earlier definition, or of none
  const char* integer;  // one that it has, an integer; or nothing
};

// Of each op that opset 18 changed or brought, and of those that later ones did.
constexpr Case cases[] = {
    {"AveragePool", 19, 1, "storage_order", "ceil_mode"},
    {"BitwiseAnd", 18, 2, "axis", nullptr},
    {"BitwiseNot", 18, 1, "axis", nullptr},
    {"BitwiseOr", 18, 2, "axis", nullptr},
    {"BitwiseXor", 18, 2, "axis", nullptr},
    {"Cast", 19, 1, "round_mode", "to"},
    {"CenterCropPad", 18, 2, "shape", nullptr},
    {"Col2Im", 18, 3, "block_shape", nullptr},
    {"DFT", 20, 3, "axis", "inverse"},
    {"Gelu", 20, 1, "alpha", nullptr},
    {"GridSample", 20, 2, "mean", "align_corners"},
    {"GroupNormalization", 18, 3, "stash_type", "num_groups"},
    {"GroupNormalization", 21, 3, "axis", "stash_type"},
    {"LpPool", 18, 1, "storage_order", "p"},
    {"Mish", 18, 1, "alpha", nullptr},
    {"OptionalGetElement", 18, 1, "index", nullptr},
    {"OptionalHasElement", 18, 1, "type", nullptr},
    {"Pad", 18, 4, "pads", nullptr},
    {"Pad", 22, 4, "value", nullptr},
    {"ReduceL1", 18, 2, "axes", "keepdims"},
    {"ReduceL2", 18, 2, "axes", "keepdims"},
    {"ReduceLogSum", 18, 2, "axes", "keepdims"},
    {"ReduceLogSumExp", 18, 2, "axes", "keepdims"},
    {"ReduceMax", 18, 2, "axes", "keepdims"},
    {"ReduceMean", 18, 2, "axes", "noop_with_empty_axes"},
    {"ReduceMean", 22, 2, "axes", "noop_with_empty_axes"},
    {"ReduceMin", 18, 2, "axes", "keepdims"},
    {"ReduceProd", 18, 2, "axes", "keepdims"},
    {"ReduceSum", 18, 2, "axes", "keepdims"},
    {"ReduceSumSquare", 18, 2, "axes", "keepdims"},
    {"Resize", 18, 4, "scales", "antialias"},
    {"ScatterElements", 18, 3, "axes", "axis"},
    {"ScatterND", 18, 3, "axis", nullptr},
    {"Split", 18, 2, "split", "num_outputs"},
};

TEST(Newer, fault_46_WhatAnOpsDefinitionDoesNotHaveIsRefusedByName) {
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.op) + "-" + std::to_string(c.opset));
    OnnxBuilder attribute = one_node(c.op, c.opset, c.most_inputs);
    OnnxBuilder::set_int(*attribute.graph().mutable_node(0), c.gone, 1);
    EXPECT_TRUE(has(load_error(attribute), {"node 'n'", c.op, "attribute '" + std::string(c.gone) + "'", "unknown", "opset " + std::to_string(c.opset)}));
    const std::string extra = "x" + std::to_string(c.most_inputs);
    EXPECT_TRUE(has(load_error(one_node(c.op, c.opset, c.most_inputs + 1)),
                    {"node 'n'", c.op, "inputs, found " + std::to_string(c.most_inputs + 1), "no place for '" + extra + "'"}));
    if (c.integer != nullptr) {
      OnnxBuilder type = one_node(c.op, c.opset, c.most_inputs);
      OnnxBuilder::set_float(*type.graph().mutable_node(0), c.integer, 1);
      EXPECT_TRUE(has(load_error(type), {"attribute '" + std::string(c.integer) + "'", "expected type INT, found FLOAT"}));
    }
    if (std::string(c.op) == "Split") continue;  // has as many outputs as are wanted
    EXPECT_TRUE(has(load_error(one_node(c.op, c.opset, c.most_inputs, 2)), {"expected 1 outputs, found 2", "'y1'"}));
  }
}

TEST(Newer, WhatADefinitionDemandsMustBeThere) {
  for (const auto& [op, opset, name] : {std::tuple("Cast", 19, "to"), {"GroupNormalization", 18, "num_groups"}, {"AveragePool", 19, "kernel_shape"}, {"LpPool", 18, "kernel_shape"}}) {
    EXPECT_TRUE(has(load_error(one_node(op, opset, op == std::string("GroupNormalization") ? 3 : 1)), {"node 'n'", "expected attribute '" + std::string(name) + "'"}));
  }
  EXPECT_TRUE(has(load_error(one_node("Pad", 18, 1)), {"expected 2 to 4 inputs, found 1"}));
}

// Attributes are known from the opset on that brought them, and inputs too.
TEST(Newer, ADefinitionHoldsFromItsOpsetOn) {
  const auto with_dilations = [](int opset) {
    OnnxBuilder b = one_node("AveragePool", opset, 1);
    for (const char* name : {"kernel_shape", "dilations"}) {
      OnnxBuilder::attribute(*b.graph().mutable_node(0), name, onnx::AttributeProto::INTS).add_ints(2);
    }
    return b;
  };
  EXPECT_TRUE(has(load_error(with_dilations(18)), {"attribute 'dilations'", "opset 18"}));
  for (int opset = 19; opset <= 22; ++opset) EXPECT_EQ(with_dilations(opset).load().opset, opset);
  for (const auto& [op, first] : {std::pair("Mish", 18), {"Gelu", 20}}) {
    EXPECT_TRUE(has(load_error(one_node(op, first - 1, 1)), {op, "does not exist in opset " + std::to_string(first - 1), "up to 22"}));
    EXPECT_EQ(one_node(op, first, 1).load().nodes.front().op, op);
  }
  OnnxBuilder older = one_node("ReduceMean", 13, 1);
  OnnxBuilder::attribute(*older.graph().mutable_node(0), "axes", onnx::AttributeProto::INTS).add_ints(1);
  EXPECT_EQ(older.load().nodes.front().attributes.count("axes"), 1U);
}

TEST(Newer, OpsThatDidNotChangeAreTakenUpToOpset22) {
  const Model old = small_mlp(17).load();
  for (int opset = 18; opset <= 22; ++opset) {
    const Model m = small_mlp(opset, opset < 21 ? 9 : 10).load();
    EXPECT_EQ(m.opset, opset);
    EXPECT_EQ(m.nodes.size(), old.nodes.size());
    for (const auto& [name, tensor] : old.constants) EXPECT_EQ(m.constants.at(name).values, tensor.values) << name;
    OnnxBuilder wrong = small_mlp(opset);
    OnnxBuilder::set_int(*wrong.graph().mutable_node(1), "transC", 1);
    EXPECT_TRUE(has(load_error(wrong), {"attribute 'transC'", "opset " + std::to_string(opset)}));
  }
}

std::string metadata(const std::string& key, const std::string& value) {
  onnx::StringStringEntryProto entry;
  entry.set_key(key);
  entry.set_value(value);
  return entry.SerializeAsString();
}

// onnx.proto of IR version 10: metadata_props of a node, graph, tensor and value. Exporters write where in the source a node is from.
TEST(Newer, MetadataOfNodesGraphsTensorsAndValuesIsReadAndKept) {
  OnnxBuilder b = small_mlp(18, 10);
  const std::string entry = metadata("pkg.torch.onnx.stack_trace", "File \"model.py\", line 3");
  b.graph().mutable_node(1)->mutable_unknown_fields()->AddLengthDelimited(9, entry);
  b.graph().mutable_node(1)->mutable_unknown_fields()->AddLengthDelimited(9, metadata("namespace", ": M/fc1: Linear"));
  b.graph().mutable_node(2)->mutable_unknown_fields()->AddLengthDelimited(8, "");  // no overload
  b.graph().mutable_unknown_fields()->AddLengthDelimited(16, entry);
  b.graph().mutable_initializer(0)->mutable_unknown_fields()->AddLengthDelimited(16, entry);
  b.graph().mutable_input(0)->mutable_unknown_fields()->AddLengthDelimited(4, entry);
  const Model with = b.load();
  const Model without = small_mlp(18, 8).load();
  EXPECT_EQ(with.nodes.size(), without.nodes.size());
  for (const auto& [name, tensor] : without.constants) EXPECT_EQ(with.constants.at(name).values, tensor.values) << name;
  const Bytes whole = b.bytes();
  const Stripped s = strip(whole, "m.onnx", "{}");
  require_stripped(s.model, "m.onnx");
  const SecretBytes joined = join(s.model, s.weights, "w");
  EXPECT_TRUE(std::equal(joined.begin(), joined.end(), whole.begin(), whole.end()));
}

// A weight could hide in a field that says it is metadata.
TEST(Newer, WhatIsNoMetadataIsRefused) {
  const std::pair<int, std::string> fields[] = {{8, "overload"}, {9, "no message"}, {10, ""}, {16, metadata("k", "v")}};
  for (const auto& [number, bytes] : fields) {
    OnnxBuilder b = small_mlp(18, 10);
    b.graph().mutable_node(1)->mutable_unknown_fields()->AddLengthDelimited(number, bytes);
    EXPECT_TRUE(has(load_error(b), {"field " + std::to_string(number), "NodeProto", "IR version 10"}));
  }
  OnnxBuilder nested = small_mlp(18, 10);
  onnx::StringStringEntryProto entry;
  entry.set_key("k");
  entry.mutable_unknown_fields()->AddLengthDelimited(3, "weights may hide here");
  nested.graph().mutable_unknown_fields()->AddLengthDelimited(16, entry.SerializeAsString());
  EXPECT_TRUE(has(load_error(nested), {"field 16", "GraphProto"}));
  OnnxBuilder number = small_mlp(18, 10);
  number.graph().mutable_unknown_fields()->AddVarint(16, 7);
  EXPECT_TRUE(has(load_error(number), {"field 16", "GraphProto"}));
}

TEST(Newer, Int32IsTakenAsInt64) {
  for (const bool raw : {true, false}) {
    OnnxBuilder b(13, 8);
    b.input("x", {1, 70});
    auto& node = b.node("Gather", {"x", "i"}, {"y"}, "take");
    OnnxBuilder::set_int(node, "axis", 1);
    b.output("y", {1, 70});
    auto& t = *b.graph().add_initializer();
    t.set_name("i");
    t.set_data_type(onnx::TensorProto::INT32);
    t.add_dims(70);  // more than are public: an input of the stripped model
    std::vector<std::int64_t> expected;
    for (std::int32_t i = 0; i < 70; ++i) {
      const std::int32_t v = i % 2 == 0 ? i : -i;
      expected.push_back(v);
      if (raw) {
        t.mutable_raw_data()->append(reinterpret_cast<const char*>(&v), 4);
      } else {
        t.add_int32_data(v);
      }
    }
    const Model m = b.load();
    EXPECT_EQ(std::get<std::vector<std::int64_t>>(m.constants.at("i").values), expected);
    const Bytes whole = b.bytes();
    const Stripped s = strip(whole, "m.onnx", "{}");
    require_stripped(s.model, "m.onnx");
    const SecretBytes joined = join(s.model, s.weights, "w");
    EXPECT_TRUE(std::equal(joined.begin(), joined.end(), whole.begin(), whole.end()));
    t.add_dims(2);
    EXPECT_TRUE(has(load_error(b), {"initializer 'i'", "its dimensions need"}));
  }
}

// scikit-learn's exporter computes the label, too, from a list of classes.
TEST(Newer, fault_46_OpsOfClassicalLearningNameTheRemedy) {
  OnnxBuilder b = small_mlp(15);
  b.ints("classes", {3, 7});
  b.node("ArgMax", {"y"}, {"index"});
  auto& lookup = b.node("ArrayFeatureExtractor", {"classes", "index"}, {"label"}, "lookup");
  lookup.set_domain("ai.onnx.ml");
  b.output("label", {-1}, onnx::TensorProto::INT64);
  EXPECT_TRUE(has(load_error(b), {"node 'lookup' (ArrayFeatureExtractor)", "ai.onnx.ml", "remove the output of labels", "zipmap"}));
  b.graph().mutable_output()->RemoveLast();  // as it is told
  b.graph().mutable_node()->DeleteSubrange(b.graph().node_size() - 2, 2);
  EXPECT_EQ(b.load().outputs.size(), 1U);
}

}  // namespace
}  // namespace smpc::test
