// Bytes that are no program, and programs whose parts do not fit together.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "program/examples.h"
#include "smpc/base/error.h"
#include "support/thinned.h"

namespace smpc {
namespace {

using testing::example;

// Refused as bad input, or a program that encodes to these very bytes. True: refused.
bool refused_or_canonical(const Bytes& bytes) {
  Program p;
  try {
    p = decode_program(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("program"), std::string::npos) << e.what();
    return true;
  }
  EXPECT_EQ(encode(p), bytes);
  return false;
}

TEST(ProgramBytes, EveryTruncationIsRefused) {
  for (const Program& p : {example(), testing::example_graph()}) {
    const Bytes bytes = encode(p);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_TRUE(refused_or_canonical(cut)) << size;
    }
  }
}

TEST(ProgramBytes, ATrailingByteIsRefused) {
  for (unsigned value = 0; value < 256; ++value) {
    Bytes bytes = encode(example());
    bytes.push_back(static_cast<std::byte>(value));
    EXPECT_TRUE(refused_or_canonical(bytes));
  }
}

TEST(ProgramBytes, EveryChangedByteIsRefusedOrCanonical) {
  for (const Program& p : {example(), testing::example_graph()}) {
    const Bytes bytes = encode(p);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < bytes.size(); at += testing::one_in(7)) {
      for (unsigned value = 0; value < 256; ++value) {
        Bytes wrong = bytes;
        wrong[at] = static_cast<std::byte>(value);
        if (wrong != bytes && refused_or_canonical(wrong)) ++refused;
      }
    }
    EXPECT_GT(refused, 0U);
  }
}

TEST(ProgramBytes, ACountThatCannotBeThereIsRefusedBeforeMemoryIsTaken) {
  for (const Program& p : {example(), testing::example_graph()}) {
    const Bytes bytes = encode(p);
    for (std::size_t at = 0; at + 4 <= bytes.size(); ++at) {
      Bytes wrong = bytes;
      for (std::size_t i = 0; i < 4; ++i) wrong[at + i] = std::byte{0xff};
      refused_or_canonical(wrong);
    }
  }
}

TEST(ProgramBytes, MoreThanTheLongestProgramIsRefused) {
  Bytes bytes = encode(example());
  bytes.resize(longest_program + 1);
  EXPECT_THROW(decode_program(bytes), Error);
  EXPECT_TRUE(refused_or_canonical(bytes));
}

struct Case {
  const char* name;
  std::function<void(Program&)> spoil;
};

const Case cases[] = {
    {"ring of no bits", [](Program& p) { p.tensors[0].ring = p.tensors[1].ring = Ring{0}; }},
    {"ring of 65 bits", [](Program& p) { p.tensors[0].ring = p.tensors[1].ring = Ring{65}; }},
    {"linear map into a wider ring", [](Program& p) { p.tensors[0].ring = Ring{39}; }},
    {"scale far below 0", [](Program& p) { p.tensors[0].scale = -128; }},
    {"huge scale", [](Program& p) { p.tensors[0].scale = 128; }},
    {"scale that the shift does not explain", [](Program& p) { p.tensors[2].scale = 10; }},
    {"scale that the truncation does not explain", [](Program& p) { p.tensors[4].scale = 10; }},
    {"shift of a whole ring", [](Program& p) { p.ops[1].kind = ReluOp{40}; }},
    {"truncation that leaves one bit", [](Program& p) { p.ops[3].kind = TruncateOp{32}; }},
    {"shape of the first tensor", [](Program& p) { p.inputs = {{"x", {2, 3}, -1, 1}}; p.tensors[0].count = 5; }},
    {"input shape with a zero", [](Program& p) { p.inputs = {{"x", {2, 3, 0}, -1, 1}}; }},
    {"input shape that overflows", [](Program& p) { p.inputs = {{"x", {std::size_t{1} << 33, std::size_t{1} << 33}, -1, 1}}; }},
    {"linear map of another shape", [](Program& p) { p.ops[0].kind = LinearOp{6, 5}; }},
    {"tensor without elements", [](Program& p) { p.tensors[2].count = 0; p.ops[2].kind = LinearOp{0, 3}; }},
    {"ReLU that changes the count", [](Program& p) { p.tensors[2].count = 5; p.ops[2].kind = LinearOp{5, 3}; }},
    {"no ops", [](Program& p) { p.ops.clear(); p.tensors.resize(1); }},
    {"a tensor too many", [](Program& p) { p.tensors.push_back(p.tensors.back()); }},
    {"a tensor too few", [](Program& p) { p.tensors.pop_back(); }},
    {"no range", [](Program& p) { p.inputs[0].low = p.inputs[0].high = 0; }},
    {"range the wrong way round", [](Program& p) { std::swap(p.inputs[0].low, p.inputs[0].high); }},
    {"infinite range", [](Program& p) { p.inputs[0].high = std::numeric_limits<double>::infinity(); }},
    {"range that is no number", [](Program& p) { p.inputs[0].low = std::numeric_limits<double>::quiet_NaN(); }},
    {"range that 64 bits do not hold", [](Program& p) { p.inputs[0].low = -0x1p54; }},
    {"range that 64 bits hold but for its end", [](Program& p) { p.inputs[0].high = 0x1p53; }},
    {"truncation that leaves one bit modulo 2^32", [](Program& p) {
       p.ops[3].kind = TruncateOp{0xfffffffe};
       p.tensors[4].scale = 18 + 2;
     }},
    {"no inputs", [](Program& p) { p.inputs.clear(); }},
    {"no outputs", [](Program& p) { p.outputs.clear(); }},
    {"outputs of other elements", [](Program& p) { p.outputs[0].shape = {4}; }},
    {"the label of two outputs", [](Program& p) { p.outputs = {{"y", {1}}, {"z", {2}}}; }},
    {"the logits of two outputs", [](Program& p) { p = testing::example_graph(); p.results = Results::logits; }},
    {"the label of no labels", [](Program& p) { p.labels.clear(); }},
    {"negative norm", [](Program& p) { p.input_norm = -1; }},
    {"norm that is no number", [](Program& p) { p.input_norm = std::numeric_limits<double>::quiet_NaN(); }},
    {"grid of other voxels", [](Program& p) { p.grid->shape = {2, 3, 2}; }},
    {"grid of as many voxels modulo 2^64", [](Program& p) { p.grid->shape = {786730, 88801, 1056175639}; }},
    {"map of 2^37 weights",
     [](Program& p) {
       p.inputs = {{"x", {std::size_t{1} << 19}, -1, 1}};
       p.grid.reset();
       for (const std::size_t i : {0U, 1U, 2U}) p.tensors[i].count = std::size_t{1} << (i == 0 ? 19 : 18);
       p.ops[0].kind = LinearOp{std::size_t{1} << 19, std::size_t{1} << 18};
       p.ops[2].kind = LinearOp{std::size_t{1} << 18, 3};
     }},
    {"1025 ops",
     [](Program& p) {
       p.ops.insert(p.ops.begin() + 3, 1019, Op{"again", TruncateOp{0}});
       p.tensors.insert(p.tensors.begin() + 3, 1019, p.tensors[3]);
     }},
    {"grid that is not finite", [](Program& p) { p.grid->affine[5] = std::numeric_limits<double>::infinity(); }},
    {"mask of another size", [](Program& p) { p.input_mask.assign(2, std::byte{1}); }},
    {"mask that leaves fewer", [](Program& p) { p.input_mask.assign(1, std::byte{0x1f}); }},
    {"mask that covers everything", [](Program& p) { p.input_mask.assign(1, std::byte{0x3f}); }},
    {"mask with padding", [](Program& p) { p.input_mask.assign(1, std::byte{0xfc}); }},
    {"a label too many", [](Program& p) { p.labels.push_back("more"); }},
    {"a label too few", [](Program& p) { p.labels.pop_back(); }},
    {"ArgMax in the middle", [](Program& p) { p.ops[3].kind = ArgMaxOp{}; }},
    {"label without ArgMax", [](Program& p) { p.ops.pop_back(); p.tensors.pop_back(); }},
    {"logits with ArgMax", [](Program& p) { p.reveal = Reveal::logits; p.labels.resize(1); }},
    {"index of another width", [](Program& p) { p.tensors.back().ring = Ring{3}; }},
    {"two indices", [](Program& p) { p.tensors.back().count = 2; }},
    {"index with a scale", [](Program& p) { p.tensors.back().scale = 1; }},
};

template <class Kind>
Kind& kind_of(Program& p, std::size_t op) {
  return std::get<Kind>(p.ops[op].kind);
}

// Ops by number: see example_graph.
const Case graph_cases[] = {
    {"convolution of other inputs", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[2].input = 5; }},
    {"convolution of other outputs", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[1].output = 4; }},
    {"convolution without a stride", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[1].stride = 0; }},
    {"convolution without groups", [](Program& p) { kind_of<ConvOp>(p, 0).shape.groups = 0; }},
    {"kernel without elements", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[0].kernel = 0; }},
    {"stride that overflows", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[1].stride = std::size_t{1} << 40; }},
    {"kernel of 2^37 weights", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[0].kernel = std::size_t{1} << 36; }},
    {"pad out of range", [](Program& p) { kind_of<ConvOp>(p, 0).shape.axes[0].pad = std::numeric_limits<std::int64_t>::min(); }},
    {"convolution into a wider ring", [](Program& p) { p.tensors[0].ring = Ring{29}; }},
    {"bias of another shape", [](Program& p) { p.tensors[2].count = 17; }},
    {"sum of one factor for two", [](Program& p) { kind_of<SumOp>(p, 2).factors.pop_back(); }},
    {"sum of unlike tensors", [](Program& p) { p.ops[2].inputs = {0, 2}; }},
    {"a tensor that is not there yet", [](Program& p) { p.ops[2].inputs = {1, 3}; }},
    {"a tensor that nothing reads", [](Program& p) { p.ops[2].inputs = {1, 1}; }},
    {"the tensor before, said", [](Program& p) { p.ops[3].inputs = {3}; }},
    {"scale of another shape", [](Program& p) { kind_of<ScaleOp>(p, 3).inner = 7; }},
    {"scale of nothing", [](Program& p) { kind_of<ScaleOp>(p, 3).factors.clear(); }},
    {"windows across channels", [](Program& p) { kind_of<WindowSumOp>(p, 4).shape.in_channels = 2; }},
    {"order that repeats", [](Program& p) { kind_of<TransposeOp>(p, 5).order = {0, 0}; }},
    {"order that leaves one out", [](Program& p) { kind_of<TransposeOp>(p, 5).order = {0}; }},
    {"order of none", [](Program& p) { kind_of<TransposeOp>(p, 5).order = {0, 2}; }},
    {"seventeen dimensions", [](Program& p) {
       kind_of<TransposeOp>(p, 5).dims.resize(17, 1);
       kind_of<TransposeOp>(p, 5).order.resize(17);
     }},
    {"slice beyond the last", [](Program& p) { kind_of<TakeOp>(p, 6).slices[0] = 4; }},
    {"slice before the first", [](Program& p) { kind_of<TakeOp>(p, 6).slices[0] = -2; }},
    {"slices of another number", [](Program& p) { kind_of<TakeOp>(p, 6).slices.push_back(0); }},
    {"join of parts that do not fit", [](Program& p) { kind_of<ConcatOp>(p, 7).outer = 3; }},
    {"join of nothing", [](Program& p) { kind_of<ConcatOp>(p, 7).outer = 0; }},
    {"product of other sizes", [](Program& p) { kind_of<ProductOp>(p, 8).inner = 2; }},
    {"product of another scale", [](Program& p) { p.tensors[9].scale = 3; }},
    {"product of one", [](Program& p) { p.ops[8].inputs = {7}; }},
    {"step with a scale", [](Program& p) { p.tensors[10].scale = 1; }},
    {"nothing but moves, and the label of one class",
     [](Program& p) {
       p.reveal = Reveal::label;
       p.ops = {{"take", TakeOp{1, 40, 1, {7}}}, {"argmax", ArgMaxOp{}}};
       p.tensors = {p.tensors[0], {1, 4, Ring{30}}, {1, 0, Ring{1}}};
       p.inputs = {{"x", {40}, -1, 1}};
       p.outputs = {{"y", {1}}};
       p.labels = {"one"};
     }},
    {"step of another shape", [](Program& p) { p.tensors[10].count = 5; }},
    {"two inputs of one name", [](Program& p) { p.inputs[1].name = p.inputs[0].name; }},
    {"two outputs of one name", [](Program& p) { p.outputs[1].name = p.outputs[0].name; }},
    {"grid of two inputs", [](Program& p) { p.grid = example().grid; }},
    {"norm of two inputs", [](Program& p) { p.input_norm = 3; }},
    {"mask of two inputs", [](Program& p) { p.input_mask.assign(5, std::byte{0x7f}); }},
    {"picture of another shape", [](Program& p) { p.inputs[1].picture->height = 4; }},
    {"picture of two channels", [](Program& p) { p.inputs[1].picture->channels = 2; }},
    {"picture of no height", [](Program& p) { p.inputs[1].picture->height = 0; }},
    {"picture of two means", [](Program& p) { p.inputs[1].picture->mean.push_back(1); }},
    {"picture of no deviation", [](Program& p) { p.inputs[1].picture->deviation[0] = 0; }},
    {"picture whose factor is no number", [](Program& p) { p.inputs[1].picture->factor = std::numeric_limits<double>::quiet_NaN(); }},
    {"lookup of half a table", [](Program& p) { kind_of<LookupOp>(p, 10).table.pop_back(); }},
    {"lookup of no table", [](Program& p) { kind_of<LookupOp>(p, 10).table.clear(); }},
    {"lookup of no bits", [](Program& p) { kind_of<LookupOp>(p, 10).bits = 0; }},
    {"lookup of eleven bits", [](Program& p) { p.ops[10].kind = LookupOp{11, std::vector<std::int64_t>(4096)}; }},
    {"lookup in a narrower ring", [](Program& p) { p.tensors[10].ring = Ring{1}; }},
    {"lookup of another shape", [](Program& p) { p.tensors[11].count = 4; }},
    {"lookup of 17 tables", [](Program& p) { p.ops[10].kind = LookupOp{1, std::vector<std::int64_t>(34)}; p.tensors[11].count = 68; }},
};

TEST(Program, PartsOfAGraphThatDoNotFitAreNotEncoded) {
  for (const Case& c : graph_cases) {
    Program p = testing::example_graph();
    c.spoil(p);
    EXPECT_THROW(encode(p), Error) << c.name;
  }
}

// A few bytes tell of a million slices each.
TEST(Program, ManySlicesTogetherAreNotEncoded) {
  constexpr std::size_t many = std::size_t{1} << 20;
  const auto program = [](std::size_t takes) {
    Program p;
    p.reveal = Reveal::logits;
    p.inputs = {{"x", {2}, -1, 1}};
    p.outputs = {{"y", {2}}};
    p.tensors = {{2, 0, Ring{9}}};
    for (std::size_t i = 0; i < takes; ++i) {
      p.ops.push_back({"take", TakeOp{1, p.tensors.back().count, 1, std::vector<std::int64_t>(many)}});
      p.tensors.push_back({many, 0, Ring{9}});
    }
    p.ops.push_back({"last", TakeOp{1, many, 1, {0, 1}}});
    p.tensors.push_back({2, 0, Ring{9}});
    return p;
  };
  EXPECT_EQ(decode_program(encode(program(1))), program(1));
  try {
    encode(program(16));
    ADD_FAILURE() << "was encoded";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("2^24 slices"), std::string::npos) << e.what();
  }
}

TEST(Program, PartsThatDoNotFitAreNotEncoded) {
  for (const Case& c : cases) {
    Program p = example();
    c.spoil(p);
    try {
      encode(p);
      ADD_FAILURE() << c.name;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input) << c.name;
    }
  }
}

// A little-endian number somewhere in the bytes, replaced.
Bytes replaced(const Program& p, std::size_t at, ByteView value) {
  Bytes bytes = encode(p);
  std::copy(value.begin(), value.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return bytes;
}

TEST(ProgramBytes, MagicVersionSuiteAndPolicyAreChecked) {
  const Program p = example();
  for (std::size_t at = 0; at < 9; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes wrong = encode(p);
      wrong[at] ^= static_cast<std::byte>(1U << bit);
      const bool other_suite = at == 8 && bit == 0;  // a program as well
      EXPECT_EQ(refused_or_canonical(wrong), !other_suite) << at;
    }
  }
  const std::byte two[] = {std::byte{2}};
  EXPECT_TRUE(refused_or_canonical(replaced(p, 9, two)));  // the policy
  const std::byte logits[] = {std::byte{1}};
  EXPECT_TRUE(refused_or_canonical(replaced(p, 9, logits)));
  // What the results are: three values there are, and any other is refused.
  for (unsigned value = 0; value < 256; ++value) {
    const std::byte results[] = {static_cast<std::byte>(value)};
    EXPECT_EQ(refused_or_canonical(replaced(p, 10, results)), value > 2) << value;
  }
}

// Rings, scales and counts as they stand in the bytes: what encode() would never write is refused when read.
TEST(ProgramBytes, BadRingsScalesAndCountsAreRefused) {
  const Program p = example();
  const std::size_t inputs = 4 + (4 + 1) + (4 + 3 * 8) + 2 * 8 + 1;
  const std::size_t outputs = 4 + (4 + 1) + (4 + 8);
  const std::size_t tensors = 4 + 4 + 3 + inputs + outputs + 8 + 1 + 3 * 4 + 16 * 8 + 1 + 4;
  for (std::size_t t = 0; t < p.tensors.size(); ++t) {
    const std::size_t count = tensors + 13 * t;
    const std::size_t scale = count + 8;
    const std::size_t ring = count + 12;
    for (const unsigned bits : {0U, 65U, 255U}) {
      const std::byte value[] = {static_cast<std::byte>(bits)};
      EXPECT_TRUE(refused_or_canonical(replaced(p, ring, value))) << "tensor " << t << ", ring of " << bits;
    }
    Bytes below(4, std::byte{0xff});
    below[0] = std::byte{0x80};
    EXPECT_TRUE(refused_or_canonical(replaced(p, scale, below))) << "tensor " << t << ", scale -128";
    EXPECT_TRUE(refused_or_canonical(replaced(p, scale, Bytes(1, std::byte{0x80})))) << "tensor " << t << ", scale 128";
    EXPECT_TRUE(refused_or_canonical(replaced(p, count, Bytes(8)))) << "tensor " << t << ", no elements";
    EXPECT_TRUE(refused_or_canonical(replaced(p, count, Bytes(8, std::byte{0xff})))) << "tensor " << t << ", too many";
  }
}

}  // namespace
}  // namespace smpc
