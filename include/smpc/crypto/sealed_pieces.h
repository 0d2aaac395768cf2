// A long message, sealed piece by piece (aead.h), so that neither who seals it nor who reads in it holds it whole. Bound to
// each piece: its number, how many there are, and `associated`. None can be changed, moved, cut off or added. A message of
// one piece is sealed as seal() seals it.
#pragma once

#include <cstddef>
#include <functional>

#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

namespace smpc {

constexpr std::size_t piece_bytes = std::size_t{1} << 18;  // of a message; the last has what is left

// Of a message of `size` bytes: how many pieces, one at least.
std::size_t piece_count(std::size_t size) noexcept;

class PieceSealer {
 public:
  // `take` is given the sealed pieces in turn. `associated` is copied.
  PieceSealer(const Key& key, std::size_t size, ByteView associated, std::function<void(ByteView)> take);
  // `size` bytes in all; the last of them seals the last piece.
  void append(ByteView part);

 private:
  Key key_;
  std::size_t left_;
  Bytes associated_;
  std::function<void(ByteView)> take_;
  SecretBytes piece_;
  std::uint32_t next_ = 0;
};

class PieceReader {
 public:
  // `fetch` gives a sealed piece by its number, or nothing where there is none.
  PieceReader(const Key& key, std::size_t size, ByteView associated, std::function<Bytes(std::size_t)> fetch);

  // Opens every piece: whether all are what was sealed.
  bool intact();
  // Copies out.size() bytes from `from` on. False where a piece is not what was sealed; `out` is then of no use.
  bool read(std::size_t from, std::span<std::byte> out);

 private:
  bool open(std::size_t piece);
  Key key_;
  std::size_t size_;
  Bytes associated_;
  std::function<Bytes(std::size_t)> fetch_;
  std::size_t opened_;  // which piece is in hand
  SecretBytes piece_;
};

}  // namespace smpc
