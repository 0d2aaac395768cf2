#include "smpc/crypto/prg.h"

#include <gtest/gtest.h>

#include <utility>

#include "smpc/base/bytes.h"

namespace smpc {
namespace {

Bytes stream(const Key& key, std::size_t bytes) {
  Bytes out(bytes);
  Prg(key).fill(out);
  return out;
}

TEST(Prg, GoesOnWhereItStopped) {
  const Key key = random_key();
  const Bytes whole = stream(key, 1000);
  Prg prg(key);
  Bytes pieces;
  for (std::size_t size = 0; pieces.size() + size <= whole.size(); ++size) {
    Bytes part(size);
    prg.fill(part);
    pieces.insert(pieces.end(), part.begin(), part.end());
  }
  EXPECT_EQ(pieces, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(pieces.size())));
}

TEST(Prg, SeekingIsSkipping) {
  const Key key = random_key();
  const Bytes whole = stream(key, 16 * 300);
  Prg prg(key);
  for (const std::size_t block : {299U, 0U, 1U, 255U, 256U, 257U, 17U, 0U}) {
    const std::size_t size = std::min<std::size_t>(37, whole.size() - 16 * block);
    Bytes part(size);
    prg.seek(block);
    prg.fill(part);
    EXPECT_EQ(part, Bytes(whole.begin() + static_cast<std::ptrdiff_t>(16 * block),
                          whole.begin() + static_cast<std::ptrdiff_t>(16 * block + size)))
        << block;
  }
}

// Also where the counter carries into its next word.
TEST(Prg, SeekingFarAwayIsContinuous) {
  Prg prg(random_key());
  for (const std::uint64_t block : {(std::uint64_t{1} << 32) - 1, (std::uint64_t{1} << 56) - 1}) {
    Bytes two(32);
    prg.seek(block);
    prg.fill(two);
    Bytes second(16);
    prg.seek(block + 1);
    prg.fill(second);
    EXPECT_EQ(Bytes(two.begin() + 16, two.end()), second);
    EXPECT_NE(Bytes(two.begin(), two.begin() + 16), second);
  }
}

TEST(Prg, WordsAreLittleEndianBytes) {
  const Key key = random_key();
  std::vector<std::uint64_t> words(3);
  Prg(key).fill(std::span(words));
  const Bytes bytes = stream(key, 24);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint64_t expected = 0;
    for (std::size_t b = 8; b-- > 0;) expected = expected << 8 | std::to_integer<std::uint64_t>(bytes[8 * i + b]);
    EXPECT_EQ(words[i], expected);
  }
}

TEST(Prg, AMovedOneGoesOn) {
  const Key key = random_key();
  Prg first(key);
  Bytes part(20);
  first.fill(part);
  Prg second(std::move(first));
  Bytes rest(30);
  second.fill(rest);
  part.insert(part.end(), rest.begin(), rest.end());
  EXPECT_EQ(part, stream(key, 50));
}

}  // namespace
}  // namespace smpc
