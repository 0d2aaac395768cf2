// Damaged files are refused or, where the damage cannot be seen, loaded; nothing else happens. Run under sanitizers.
#include <random>

#include "onnx_builder.h"
#include "smpc/model/strip.h"

namespace smpc::test {
namespace {

// Whether it was refused.
bool try_load(ByteView bytes) {
  try {
    load_model(bytes, "m");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return true;
  }
  const Stripped s = strip(bytes, "m", "");
  require_stripped(s.model, "m");
  return false;
}

TEST(Damage, fault_44_EveryCut) {
  const Bytes whole = small_mlp().bytes();
  EXPECT_FALSE(try_load(whole));
  std::size_t refused = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) refused += try_load(ByteView(whole).first(n)) ? 1 : 0;
  EXPECT_GT(refused, whole.size() - 20);
}

TEST(Damage, fault_44_EveryFlippedBit) {
  Bytes bytes = small_mlp().bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] ^= std::byte{1} << bit;
      try_load(bytes);
      bytes[i] ^= std::byte{1} << bit;
    }
  }
}

TEST(Damage, fault_44_RandomSplices) {
  const Bytes whole = small_mlp(17, 8).bytes();
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    Bytes b = whole;
    const auto edits = 1 + random() % 4;
    for (std::uint64_t e = 0; e < edits; ++e) {
      const auto from = static_cast<std::ptrdiff_t>(random() % b.size());
      const auto length = static_cast<std::ptrdiff_t>(random() % 16);
      const auto end = std::min<std::ptrdiff_t>(from + length, static_cast<std::ptrdiff_t>(b.size()));
      const Bytes piece(b.begin() + from, b.begin() + end);
      const auto to = static_cast<std::ptrdiff_t>(random() % b.size());
      if (random() % 2 == 0) {
        b.insert(b.begin() + to, piece.begin(), piece.end());
      } else {
        b.erase(b.begin() + from, b.begin() + end);
      }
      if (b.empty()) break;
    }
    try_load(b);
  }
}

TEST(Damage, fault_44_RandomBytes) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 3000; ++round) {
    Bytes b(random() % 200);
    for (auto& v : b) v = static_cast<std::byte>(random());
    EXPECT_TRUE(try_load(b));
  }
}

TEST(Damage, fault_45_NestedAHundredThousandDeep) {
  // graph, node, attribute, g, node, attribute, g, ...: each level is a field that holds all that follows.
  std::string backwards;
  const auto wrap = [&](char field) {
    std::string head(1, static_cast<char>((field << 3) | 2));
    std::size_t n = backwards.size();
    for (; n >= 128; n /= 128) head.push_back(static_cast<char>(n % 128 + 128));
    head.push_back(static_cast<char>(n));
    backwards.append(head.rbegin(), head.rend());
  };
  for (int i = 0; i < 100000; ++i) {
    wrap(6);  // AttributeProto.g
    wrap(5);  // NodeProto.attribute
    wrap(1);  // GraphProto.node
  }
  wrap(7);  // ModelProto.graph
  const std::string nested(backwards.rbegin(), backwards.rend());
  EXPECT_TRUE(has(error_of([&] { load_model(as_bytes(nested), "m"); }), {"nested too deep"}));
  // Groups nest in one byte a level.
  const std::string groups(100000, static_cast<char>((2 << 3) | 3));
  EXPECT_TRUE(has(error_of([&] { load_model(as_bytes(groups), "m"); }), {"cannot be parsed"}));
}

TEST(Damage, Empty) {
  EXPECT_TRUE(has(error_of([] { load_model(ByteView(), "m"); }), {"empty"}));
}

}  // namespace
}  // namespace smpc::test
