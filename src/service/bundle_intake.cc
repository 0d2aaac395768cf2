#include "bundle_intake.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "smpc/base/error.h"
#include "smpc/base/fd.h"
#include "smpc/base/file_error.h"
#include "smpc/correlation/masks.h"
#include "smpc/crypto/sealed_pieces.h"
#include "smpc/service/limits.h"

namespace smpc {
namespace {


// Sealed pieces, one after the other, in a file that has no name and so goes with the process.
class Spool {
 public:
  explicit Spool(const std::filesystem::path& folder) : folder_(folder) {
    std::string name = folder / "taking-XXXXXX";
    fd_.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (fd_.get() < 0) fail();
    ::unlink(name.c_str());
  }

  void append(ByteView piece) {
    for (ByteView rest = piece; !rest.empty();) {
      const ssize_t n = ::pwrite(fd_.get(), rest.data(), rest.size(), static_cast<off_t>(ends_.back() + piece.size() - rest.size()));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail();
      rest = rest.subspan(static_cast<std::size_t>(n));
    }
    ends_.push_back(ends_.back() + piece.size());
  }
  std::size_t pieces() const noexcept { return ends_.size() - 1; }

  Bytes piece(std::size_t i) const {
    Bytes out(ends_[i + 1] - ends_[i]);
    for (std::size_t at = 0; at < out.size();) {
      const ssize_t n = ::pread(fd_.get(), out.data() + at, out.size() - at, static_cast<off_t>(ends_[i] + at));
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) errno = EIO;
      if (n <= 0) fail();
      at += static_cast<std::size_t>(n);
    }
    return out;
  }

 private:
  [[noreturn]] void fail() const {
    fail_input(folder_.string() + ": a file in it cannot be written and read again, found " + file_problem(folder_, errno));
  }
  std::filesystem::path folder_;
  Fd fd_;
  std::vector<std::size_t> ends_{0};
};

// A bundle's body as it comes: what belongs to a linear map is held until it is whole, and finished; all else goes by.
class Body {
 public:
  Body(const Plan& plan, ByteView masked_weights, PieceSealer& to) : plan_(plan), masked_weights_(masked_weights), to_(to) {}

  void append(ByteView part) {
    while (!part.empty()) {
      SMPC_CHECK(!done());
      const ByteView now = part.first(std::min(part.size(), end() - at_));
      if (held()) {
        whole_.insert(whole_.end(), now.begin(), now.end());
      } else {
        to_.append(now);
      }
      at_ += now.size();
      part = part.subspan(now.size());
      while (at_ == end() && !done()) close();
    }
  }

 private:
  // The field that is coming: the seed, then those of the demands.
  bool seed() const noexcept { return next_ == 0; }
  bool done() const noexcept { return next_ > plan_.demands.size(); }
  std::size_t end() const noexcept { return done() ? at_ : seed_bytes + plan_.offsets[next_]; }
  bool held() const noexcept { return seed() || std::holds_alternative<LinearDemand>(plan_.demands[next_ - 1]); }

  void close() {
    if (held()) {
      if (seed()) {
        seed_ = Key{ByteView(whole_).first<seed_bytes>()};
      } else {
        const LinearField field{seed_, whole_};
        finish_linear(plan_, next_ - 1, masked_weights_, {&field, 1});
      }
      to_.append(whole_);
      whole_.clear();
    }
    ++next_;
  }

  const Plan& plan_;
  ByteView masked_weights_;
  PieceSealer& to_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  Key seed_;
  SecretBytes whole_;
};

}  // namespace

std::vector<SealedBundle> take_bundles(Channel& dealer, std::size_t count, const Plan& plan, ByteView masked_weights,
                                       const std::function<void(const BundleHeader&)>& accept, const std::filesystem::path& folder) {
  const std::size_t size = seed_bytes + plan.correction_bytes();
  const bool together = count * size <= finished_together;
  std::vector<SealedBundle> bundles(count);
  std::vector<ClientMaterial> material;
  const auto sealed_into_a_spool = [&](SealedBundle& b, const auto& append_all) {
    const auto spool = std::make_shared<Spool>(folder);
    b.key = random_key();
    PieceSealer sealer(b.key, size, b.header_bytes, [&](ByteView piece) { spool->append(piece); });
    append_all(sealer);
    b.pieces = spool->pieces();
    SMPC_CHECK(b.pieces == piece_count(size));
    b.piece = [spool](std::size_t i) { return spool->piece(i); };
  };
  for (SealedBundle& b : bundles) {
    b.header_bytes = dealer.receive_up_to(FrameType::bulk, longest_bundle_header);
    b.header = decode_bundle_header(b.header_bytes);
    accept(b.header);
    if (together) {
      SecretBytes body(size);
      dealer.receive(FrameType::bulk, body);
      const Key seed(ByteView(body).first<seed_bytes>());
      body.erase(body.begin(), body.begin() + seed_bytes);
      material.push_back({seed, std::move(body)});
    } else {
      sealed_into_a_spool(b, [&](PieceSealer& sealer) {
        Body body(plan, masked_weights, sealer);
        SecretBytes buffer(std::min(size, piece_bytes));
        dealer.receive_pieces(FrameType::bulk, size, buffer, [&](ByteView part) { body.append(part); });
      });
    }
  }
  if (together) {
    finish_corrections(plan, masked_weights, material);
    for (std::size_t i = 0; i < count; ++i) {
      sealed_into_a_spool(bundles[i], [&](PieceSealer& sealer) {
        sealer.append(material[i].seed.reveal());
        sealer.append(material[i].corrections);
      });
    }
  }
  return bundles;
}

}  // namespace smpc
