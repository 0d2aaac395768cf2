#include "masked_shift.h"

#include <algorithm>
#include <array>
#include <optional>

#include "and_tree.h"
#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {
namespace {

// Slots of one op: the opening, level h of the tree in slot h, then e and G.
constexpr unsigned slot_opening = 0;
unsigned slot_last(const ShiftPlan& p) { return p.tree_levels() + 1; }
bool selects(const ShiftPlan& p) { return p.what == ShiftPlan::What::relu && p.shift + 1 < p.in.bits; }

struct Digit {
  BitVector lt;
  BitVector eq;
};

// lt = T[X], eq = T[X] ^ T[X - 1], from the digit's thermometer T[v] = [v < r_i] and the bits of X, the lowest first.
// T[-1] is 1 (one party's share `one`), T[2^m - 1] is 0. The index is public.
Digit look_up(std::span<const BitVector> thermometer, std::span<const BitVector> x, const BitVector& one, bool eq) {
  constexpr std::size_t block_words = 32;
  const std::size_t entries = thermometer.size() + 1;
  Digit d{BitVector(one.size()), BitVector(eq ? one.size() : 0)};
  const std::size_t words = one.words().size();
  std::array<std::array<std::uint64_t, block_words>, std::size_t{1} << widest_digit> table;
  for (std::size_t from = 0; from < words; from += block_words) {
    const std::size_t n = std::min(block_words, words - from);
    const auto entry = [&](std::size_t v) { return thermometer[v].words().data() + from; };
    const auto fold = [&](std::uint64_t* out) {  // out ^= table[X]
      for (std::size_t j = 0; j < x.size(); ++j) {
        const std::uint64_t* bit = x[j].words().data() + from;
        for (std::size_t v = 0; v < entries >> (j + 1); ++v) {
          for (std::size_t i = 0; i < n; ++i) {
            table[v][i] = table[2 * v][i] ^ (bit[i] & (table[2 * v][i] ^ table[2 * v + 1][i]));
          }
        }
      }
      for (std::size_t i = 0; i < n; ++i) out[i] ^= table[0][i];
    };
    for (std::size_t v = 0; v + 1 < entries; ++v) std::copy_n(entry(v), n, table[v].begin());
    std::fill_n(table[entries - 1].begin(), n, 0);
    fold(d.lt.words().data() + from);
    if (!eq) continue;
    std::copy_n(one.words().data() + from, n, table[0].begin());
    for (std::size_t v = 1; v < entries; ++v) std::copy_n(entry(v - 1), n, table[v].begin());
    fold(d.eq.words().data() + from);
  }
  for (std::size_t v = 0; v < entries; ++v) wipe(std::span<std::uint64_t>(table[v]));
  if (eq) d.eq ^= d.lt;
  return d;
}

class MaskedShift final : public ShiftOp {
 public:
  MaskedShift(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source)
      : p_(plan), server_(source.party() == Party::server), n_(plan.count * source.volumes()), input_(input) {
    SMPC_CHECK(p_.shift < p_.in.bits);
    if (p_.opening) opening_ = source.opening(*p_.opening);
    carried_ = opening_.r.empty();
    if (p_.comparison) tree_.emplace(p_, source);
    if (p_.low_bit) gamma_ = source.shared_bit(*p_.low_bit);
  }

  void produce(unsigned slot, FieldWriter& out) override {
    if (slot == slot_opening) {
      send_opening(out);
    } else if (slot < slot_last(p_)) {
      open();
      tree_->send_level(slot, out);
    } else {
      send_last(out);
    }
  }

  void consume(unsigned slot, FieldReader& in) override {
    if (slot == slot_opening) {
      // The client's half may come before the server knows its own share.
      theirs_ = in.values(n_, p_.in);
    } else if (slot < slot_last(p_)) {
      tree_->receive_level(slot, in);
    } else {
      if (selects(p_)) their_e_ = in.bits(n_);
      if (p_.low_bit) their_g_ = in.bits(n_);
    }
  }

  BitVector sign() override {
    if (done_) return sign_;
    open();
    return tree_->root_lt() ^ sign_without_borrow_;
  }

  const RingVector& output() override {
    if (!done_) {
      SMPC_CHECK(p_.what != ShiftPlan::What::sign);
      output_ = result();
      if (p_.what == ShiftPlan::What::relu && tree_) sign_ = sign();
      forget();
      done_ = true;
    }
    return output_;
  }

 private:
  // r is used up: what is left of it is the opened half. Where x carries it, it is not added again.
  void send_opening(FieldWriter& out) {
    SMPC_CHECK(!sent_);
    sent_ = true;
    const RingVector& x = input_.output();
    SMPC_CHECK(x.size() == n_);
    const bool lift = server_ && p_.what == ShiftPlan::What::truncate;
    const std::uint64_t offset = lift ? std::uint64_t{1} << (p_.in.bits - 2) : 0;
    mine_ = carried_ ? RingVector(n_) : std::move(opening_.r);
    for (std::size_t i = 0; i < n_; ++i) mine_[i] = p_.in.reduce(mine_[i] + x[i] + offset);
    out.values(p_.in, mine_);
  }

  // Nothing but the result and the sign is asked for any more.
  void forget() {
    opening_ = {};
    gamma_ = {};
    tree_.reset();
    mine_ = theirs_ = {};
    sign_without_borrow_ = my_e_ = their_e_ = my_g_ = their_g_ = {};
  }

  // Once both halves are there: X, and the digits of the tree.
  void open() {
    if (opened_) return;
    opened_ = true;
    SMPC_CHECK(mine_.size() == n_ && theirs_.size() == n_);
    for (std::size_t i = 0; i < n_; ++i) mine_[i] = p_.in.reduce(mine_[i] + theirs_[i]);
    theirs_ = {};
    if (!tree_) return;
    const auto slices = bit_slices(mine_, 0, p_.in.bits);
    BitVector one(n_);
    if (server_) one.flip();
    const std::span<const BitVector> tables(opening_.thermometers);
    std::size_t at = 0;
    for (unsigned n = 0; n < p_.comparison->nodes.size(); ++n) {
      const ComparisonNode& node = p_.comparison->nodes[n];
      if (node.level > 0) continue;
      const std::size_t size = (std::size_t{1} << node.bits) - 1;
      Digit d = look_up(tables.subspan(at, size), std::span(slices).subspan(node.first_bit, node.bits), one, node.eq);
      tree_->set_digit(n, std::move(d.lt), std::move(d.eq));
      at += size;
    }
    if (p_.what == ShiftPlan::What::truncate) return;
    // 1 ^ msb X ^ msb r
    sign_without_borrow_ = tables[at];
    if (server_) sign_without_borrow_ ^= one ^ slices.back();
    tree_->set_sign(sign_without_borrow_);
  }

  void send_last(FieldWriter& out) {
    if (selects(p_)) {
      my_e_ = sign() ^ opening_.bit;
      out.bits(my_e_);
    }
    if (p_.low_bit) {
      open();
      my_g_ = p_.what == ShiftPlan::What::truncate ? tree_->root_lt() : tree_->selected();
      my_g_ ^= gamma_.bit;
      out.bits(my_g_);
    }
  }

  RingVector result() {
    if (!p_.opening) {
      RingVector z = input_.output();
      reduce_all(p_.out, z);
      return z;
    }
    open();
    const bool truncate = p_.what == ShiftPlan::What::truncate;
    if (!truncate && !selects(p_)) return RingVector(n_);
    RingVector z = truncate ? shifted() : selected();
    if (p_.low_bit && !sabotaged(Sabotage::truncation_rounding)) {
      my_g_ ^= their_g_;
      for (std::size_t i = 0; i < n_; ++i) {
        const std::uint64_t g = my_g_.get(i);
        z[i] -= (server_ ? g : 0) + (1 - 2 * g) * gamma_.value[i];
      }
    }
    reduce_all(p_.out, z);
    return z;
  }

  // This party's share of P - R, less 2^(l-2-f).
  RingVector shifted() {
    RingVector z(n_);
    const std::uint64_t offset = std::uint64_t{1} << (p_.in.bits - 2 - p_.shift);
    for (std::size_t i = 0; i < n_; ++i) {
      z[i] = (server_ ? (mine_[i] >> p_.shift) - offset : 0) - wrapped(i, opening_.shifted, opening_.top);
    }
    return z;
  }

  // e (P - R) + (1 - 2e)(delta P - delta R)
  RingVector selected() {
    RingVector z(n_);
    my_e_ ^= their_e_;
    for (std::size_t i = 0; i < n_; ++i) {
      const std::uint64_t e = my_e_.get(i);
      const std::uint64_t p = mine_[i] >> p_.shift;
      const std::uint64_t masked = opening_.bit_value[i] * p - wrapped(i, opening_.bit_shifted, opening_.bit_top);
      z[i] = e * ((server_ ? p : 0) - wrapped(i, opening_.shifted, opening_.top)) + (1 - 2 * e) * masked;
    }
    return z;
  }

  // (r >> f) - (1 - msb X) 2^(l-f) msb r, or the same times delta.
  std::uint64_t wrapped(std::size_t i, const RingVector& shifted, const RingVector& top) const {
    if (top.empty()) return shifted[i];
    return shifted[i] - ((1 - p_.in.msb(mine_[i])) * top[i] << (p_.in.bits - p_.shift));
  }

  const ShiftPlan& p_;
  bool server_;
  std::size_t n_;
  PartyOp& input_;
  OpeningShare opening_;
  std::optional<AndTree> tree_;
  SharedBitShare gamma_;
  bool carried_ = false;
  bool sent_ = false;
  bool opened_ = false;
  bool done_ = false;
  RingVector mine_;  // the half; then X
  RingVector theirs_;
  BitVector sign_without_borrow_;
  BitVector my_e_, their_e_;
  BitVector my_g_, their_g_;
  RingVector output_;
  BitVector sign_;  // once the result is there
};

}  // namespace

ShiftKnown declare_masked_shift(const ShiftPlan& p, std::size_t volumes, Known in, unsigned first_slot,
                                HalfList& halves) {
  SMPC_CHECK(slot_last(p) < shift_slots);
  if (!p.opening) return {in, in};
  const std::size_t n = p.count * volumes;
  Known known = in;
  const auto exchange = [&](unsigned slot, std::size_t bytes) {
    const int c = halves.add(Party::client, first_slot + slot, bytes, known.client);
    const int s = halves.add(Party::server, first_slot + slot, bytes, known.server);
    known = {std::max(known.server, c), std::max(known.client, s)};
  };
  exchange(slot_opening, ring_field_bytes(n, p.in));
  for (unsigned level = 1; level <= p.tree_levels(); ++level) exchange(level, level_bytes(p, level, volumes));
  const Known sign = known;
  const std::size_t last = (selects(p) ? 1U : 0U) + (p.low_bit ? 1U : 0U);
  if (last > 0) exchange(slot_last(p), last * bit_field_bytes(n));
  return {sign, known};
}

std::unique_ptr<ShiftOp> masked_shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source) {
  return std::make_unique<MaskedShift>(plan, input, source);
}

}  // namespace smpc
