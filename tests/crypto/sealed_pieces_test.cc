#include "smpc/crypto/sealed_pieces.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "smpc/crypto/aead.h"

namespace smpc {
namespace {

// A message, sealed.
struct Sealed {
  explicit Sealed(std::size_t size, std::size_t part = std::size_t{1} << 30) : message(size) {
    os_random(message);
    PieceSealer sealer(key, size, as_bytes("header"), [&](ByteView p) { pieces.emplace_back(p.begin(), p.end()); });
    for (ByteView rest = message; !rest.empty(); rest = rest.subspan(std::min(part, rest.size()))) {
      sealer.append(rest.first(std::min(part, rest.size())));
    }
  }
  PieceReader reader(std::string_view associated = "header") const { return reader_of(message.size(), associated); }
  PieceReader reader_of(std::size_t size, std::string_view associated = "header") const {
    return {key, size, as_bytes(associated), [this](std::size_t i) { return i < pieces.size() ? pieces[i] : Bytes{}; }};
  }
  Key key = random_key();
  Bytes message;
  std::vector<Bytes> pieces;
};

TEST(SealedPieces, AnyRangeIsWhatWasSealed) {
  for (const std::size_t size : {std::size_t{1}, piece_bytes - 1, piece_bytes, piece_bytes + 1, 3 * piece_bytes + 17}) {
    for (const std::size_t part : {std::size_t{1000}, piece_bytes, std::size_t{1} << 30}) {
      const Sealed s(size, part);
      ASSERT_EQ(s.pieces.size(), piece_count(size));
      PieceReader reader = s.reader();
      EXPECT_TRUE(reader.intact());
      for (const std::size_t from : {std::size_t{0}, size / 2, size - 1, std::min(size, piece_bytes) - 1}) {
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, piece_bytes, size}) {
          SecretBytes out(std::min(count, size - from));
          ASSERT_TRUE(reader.read(from, out));
          EXPECT_TRUE(std::equal(out.begin(), out.end(), s.message.begin() + static_cast<std::ptrdiff_t>(from))) << size << " " << from;
        }
      }
    }
  }
}

// As bundles were stored before there were pieces.
TEST(SealedPieces, OnePieceIsTheMessageSealed) {
  const Sealed s(1000);
  ASSERT_EQ(s.pieces.size(), 1U);
  EXPECT_EQ(to_hex(s.pieces[0]), to_hex(seal(s.key, s.message, as_bytes("header"))));
}

// Each piece with a nonce of its own: no two of equal pieces look alike.
TEST(SealedPieces, EqualPiecesAreSealedDifferently) {
  const Bytes zeros(3 * piece_bytes);
  std::vector<Bytes> pieces;
  PieceSealer(random_key(), zeros.size(), {}, [&](ByteView p) { pieces.emplace_back(p.begin(), p.end()); }).append(zeros);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_NE(to_hex(ByteView(pieces[0]).first(64)), to_hex(ByteView(pieces[1]).first(64)));
  EXPECT_NE(to_hex(ByteView(pieces[0]).first(64)), to_hex(ByteView(pieces[2]).first(64)));
  EXPECT_NE(to_hex(ByteView(pieces[1]).first(64)), to_hex(ByteView(pieces[2]).first(64)));
}

TEST(SealedPieces, NothingIsChangedMovedCutOffOrAdded) {
  const std::size_t size = 2 * piece_bytes + 100;
  const auto refused = [](const Sealed& s) { return !s.reader().intact(); };
  for (std::size_t i = 0; i < 3; ++i) {
    Sealed flipped(size);
    flipped.pieces[i][flipped.pieces[i].size() / 2] ^= std::byte{1};
    EXPECT_TRUE(refused(flipped)) << i;
    Sealed cut(size);
    cut.pieces[i].pop_back();
    EXPECT_TRUE(refused(cut)) << i;
    Sealed gone(size);
    gone.pieces.erase(gone.pieces.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(refused(gone)) << i;
  }
  Sealed swapped(size);
  std::swap(swapped.pieces[0], swapped.pieces[1]);
  EXPECT_TRUE(refused(swapped));
  const Sealed s(size);
  EXPECT_FALSE(s.reader("another header").intact());
  EXPECT_FALSE(s.reader_of(2 * piece_bytes).intact());
  EXPECT_FALSE(s.reader_of(size - 1).intact());
  EXPECT_FALSE(s.reader_of(size + 1).intact());
  EXPECT_FALSE(s.reader_of(size + piece_bytes).intact());
  EXPECT_TRUE(s.reader().intact());
}

// What was whole when it was looked at may not be so later.
TEST(SealedPieces, WhatIsReadIsCheckedAgain) {
  Sealed s(2 * piece_bytes);
  PieceReader reader = s.reader();
  ASSERT_TRUE(reader.intact());
  s.pieces[0][5] ^= std::byte{1};
  SecretBytes out(10);
  EXPECT_FALSE(reader.read(0, out));
  EXPECT_TRUE(reader.read(piece_bytes, out));
}

}  // namespace
}  // namespace smpc
