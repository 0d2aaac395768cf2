#include "smpc/crypto/sealed_pieces.h"

#include <algorithm>
#include <limits>

#include "smpc/base/error.h"
#include "smpc/crypto/aead.h"

namespace smpc {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// What is bound to every piece of a message of `size` bytes.
Bytes bound(ByteView associated, std::size_t size) {
  const std::size_t pieces = piece_count(size);
  SMPC_CHECK(pieces <= std::numeric_limits<std::uint32_t>::max());
  ByteWriter w;
  w.bytes(associated);
  if (pieces > 1) w.u32(static_cast<std::uint32_t>(pieces));
  return w.take();
}

}  // namespace

std::size_t piece_count(std::size_t size) noexcept { return size == 0 ? 1 : (size - 1) / piece_bytes + 1; }

PieceSealer::PieceSealer(const Key& key, std::size_t size, ByteView associated, std::function<void(ByteView)> take)
    : key_(key), left_(size), associated_(bound(associated, size)), take_(std::move(take)) {
  SMPC_CHECK(size > 0);
  piece_.reserve(std::min(size, piece_bytes));
}

void PieceSealer::append(ByteView part) {
  SMPC_CHECK(part.size() <= left_);
  while (!part.empty()) {
    const ByteView now = part.first(std::min(part.size(), piece_bytes - piece_.size()));
    piece_.insert(piece_.end(), now.begin(), now.end());
    part = part.subspan(now.size());
    left_ -= now.size();
    if (piece_.size() < piece_bytes && left_ > 0) continue;
    take_(seal(key_, piece_, associated_, next_++));
    piece_.clear();
  }
}

PieceReader::PieceReader(const Key& key, std::size_t size, ByteView associated, std::function<Bytes(std::size_t)> fetch)
    : key_(key), size_(size), associated_(bound(associated, size)), fetch_(std::move(fetch)), opened_(none) {}

bool PieceReader::open(std::size_t piece) {
  if (piece == opened_) return true;
  opened_ = none;
  SecretBytes().swap(piece_);  // before there is another
  std::optional<SecretBytes> message = unseal(key_, fetch_(piece), associated_, static_cast<std::uint32_t>(piece));
  if (!message || message->size() != std::min(piece_bytes, size_ - piece * piece_bytes)) return false;
  piece_ = std::move(*message);
  opened_ = piece;
  return true;
}

bool PieceReader::intact() {
  for (std::size_t i = 0; i < piece_count(size_); ++i) {
    if (!open(i)) return false;
  }
  return true;
}

bool PieceReader::read(std::size_t from, std::span<std::byte> out) {
  SMPC_CHECK(out.size() <= size_ && from <= size_ - out.size());
  while (!out.empty()) {
    if (!open(from / piece_bytes)) return false;
    const std::size_t at = from % piece_bytes;
    const std::size_t n = std::min(out.size(), piece_.size() - at);
    std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(at), n, out.begin());
    out = out.subspan(n);
    from += n;
  }
  return true;
}

}  // namespace smpc
