#include "cryptflow2_shift.h"

#include <algorithm>
#include <optional>

#include "ot_digits.h"
#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {
namespace {

// Slots of one op. Level h of the tree has slot slot_level + h; the product follows the last level.
constexpr unsigned slot_choices = 0;
constexpr unsigned slot_digits = 1;
constexpr unsigned slot_level = 1;

// The level at which the carry of the low bits is opened to become arithmetic; 0 when there is none.
unsigned carry_level(const ShiftPlan& p) {
  return p.carry ? p.comparison->nodes[static_cast<unsigned>(p.comparison->low_node)].level + 1 : 0;
}
unsigned last_level(const ShiftPlan& p) { return std::max(p.tree_levels(), carry_level(p)); }
unsigned product_level(const ShiftPlan& p) { return last_level(p) + 1; }

// The half of either party at a level: ANDs of the tree, the carry, the product.
std::size_t half_bytes(const ShiftPlan& p, unsigned level, std::size_t volumes) {
  const std::size_t n = p.count * volumes;
  std::size_t bytes = p.comparison ? level_bytes(p, level, volumes) : 0;
  if (p.carry && level == carry_level(p)) bytes += bit_field_bytes(n);
  if (p.product && level == product_level(p)) bytes += bit_field_bytes(n) + ring_field_bytes(n, p.out);
  return bytes;
}

class Cryptflow2Shift final : public ShiftOp {
 public:
  Cryptflow2Shift(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source)
      : p_(plan), server_(source.party() == Party::server), n_(plan.count * source.volumes()), input_(input) {
    SMPC_CHECK(p_.shift < p_.in.bits);
    if (p_.comparison) {
      digits_.emplace(p_, source);
      tree_.emplace(p_, source);
    }
    if (p_.carry) carry_ = source.shared_bit(*p_.carry);
    if (p_.wrap) wrap_ = source.private_bits(*p_.wrap);
    if (p_.product) product_ = source.bit_product(*p_.product);
  }

  void produce(unsigned slot, FieldWriter& out) override {
    load();
    if (slot == slot_choices || slot == slot_digits) {
      if (tree_) server_ ? digits_->send_digits(out, *tree_) : digits_->send_choices(out);
      if (p_.wrap) {
        my_wrap_ = msb_ ^ wrap_.bit;
        out.bits(my_wrap_);
      }
      return;
    }
    const unsigned level = slot - slot_level;
    if (tree_ && level <= p_.tree_levels()) tree_->send_level(level, out);
    if (p_.carry && level == carry_level(p_)) {
      my_carry_ = low_carry() ^ carry_.bit;
      out.bits(my_carry_);
    }
    if (p_.product && level == product_level(p_)) send_product(out);
  }

  void consume(unsigned slot, FieldReader& in) override {
    if (slot == slot_choices || slot == slot_digits) {
      // The client's choices may come before the server knows its own share.
      if (tree_) server_ ? digits_->receive_choices(in) : digits_->receive_digits(in, *tree_);
      if (p_.wrap) their_wrap_ = in.bits(n_);
      return;
    }
    const unsigned level = slot - slot_level;
    if (tree_ && level <= p_.tree_levels()) tree_->receive_level(level, in);
    if (p_.carry && level == carry_level(p_)) their_carry_ = in.bits(n_);
    if (p_.product && level == product_level(p_)) {
      their_sign_ = in.bits(n_);
      their_value_ = in.values(n_, p_.out);
    }
  }

  BitVector sign() override {
    if (done_) return sign_;
    BitVector d = tree_->root_lt() ^ msb_;
    if (server_) d.flip();
    return d;
  }

  const RingVector& output() override {
    if (!done_) {
      load();
      SMPC_CHECK(p_.what != ShiftPlan::What::sign);
      output_ = p_.product ? product() : shifted();
      if (p_.what == ShiftPlan::What::relu && tree_) sign_ = sign();
      forget();
      done_ = true;
    }
    return output_;
  }

 private:
  // Nothing but the result and the sign is asked for any more.
  void forget() {
    digits_.reset();
    tree_.reset();
    carry_ = {};
    wrap_ = {};
    product_ = {};
    x_ = my_value_ = their_value_ = {};
    msb_ = my_wrap_ = their_wrap_ = my_carry_ = their_carry_ = my_sign_ = their_sign_ = {};
  }

  // Takes the input's share: x, its msb, and what the comparison compares.
  void load() {
    if (loaded_) return;
    loaded_ = true;
    x_ = input_.output();
    SMPC_CHECK(x_.size() == n_);
    if (server_ && p_.what == ShiftPlan::What::truncate) {
      for (std::uint64_t& x : x_) x = p_.in.reduce(x + (std::uint64_t{1} << (p_.in.bits - 2)));
    }
    std::vector<BitVector> slices = bit_slices(x_, 0, p_.in.bits);
    msb_ = std::move(slices.back());
    slices.pop_back();
    if (!digits_) return;
    if (server_) {
      for (BitVector& s : slices) s.flip();
    }
    digits_->set_value(std::move(slices));
  }

  const BitVector& low_carry() { return tree_->lt(static_cast<unsigned>(p_.comparison->low_node)); }

  // This party's share, in the output ring, of (x0 >> f) + (x1 >> f) + c - 2^(l-f) w, less 2^(l-2-f) for a truncation.
  RingVector shifted() {
    RingVector z(n_);
    for (std::size_t i = 0; i < n_; ++i) z[i] = x_[i] >> p_.shift;
    if (p_.carry && !sabotaged(Sabotage::truncation_rounding)) {
      for (std::size_t i = 0; i < n_; ++i) {
        const std::uint64_t open = my_carry_.get(i) ^ their_carry_.get(i);
        z[i] += (server_ ? open : 0) + (1 - 2 * open) * carry_.value[i];
      }
    }
    if (p_.wrap) {
      for (std::size_t i = 0; i < n_; ++i) z[i] -= wrap_share(i) << (p_.in.bits - p_.shift);
    }
    if (server_ && p_.what == ShiftPlan::What::truncate) {
      for (std::uint64_t& v : z) v -= std::uint64_t{1} << (p_.in.bits - 2 - p_.shift);
    }
    reduce_all(p_.out, z);
    return z;
  }

  // w = m0 + m1 - m0 m1, and m0 m1 from the opened e_i = m_i ^ a_i.
  std::uint64_t wrap_share(std::size_t i) const {
    const std::uint64_t mine = my_wrap_.get(i);
    const std::uint64_t theirs = their_wrap_.get(i);
    const std::uint64_t a = wrap_.bit.get(i);
    std::uint64_t both = (server_ ? mine * theirs : 0) + theirs * (1 - 2 * mine) * a +
                         (1 - 2 * mine) * (1 - 2 * theirs) * wrap_.product[i];
    return p_.wrap_ring.reduce(msb_.get(i) - both);
  }

  void send_product(FieldWriter& out) {
    my_sign_ = sign() ^ product_.bit;
    my_value_ = shifted();
    for (std::size_t i = 0; i < n_; ++i) my_value_[i] = p_.out.reduce(my_value_[i] - product_.mask[i]);
    out.bits(my_sign_);
    out.values(p_.out, my_value_);
  }

  // d Z = e Y + e z + (1 - 2 e)(D Y + D z), with e = d ^ D and Y = Z - z open, D and z the correlation's.
  RingVector product() {
    SMPC_CHECK(my_value_.size() == n_ && their_value_.size() == n_);
    RingVector y(n_);
    for (std::size_t i = 0; i < n_; ++i) {
      const std::uint64_t e = my_sign_.get(i) ^ their_sign_.get(i);
      const std::uint64_t open = my_value_[i] + their_value_[i];
      const std::uint64_t masked = product_.bit_value[i] * open + product_.product[i];
      y[i] = p_.out.reduce((server_ ? e * open : 0) + e * product_.mask[i] + (1 - 2 * e) * masked);
    }
    return y;
  }

  const ShiftPlan& p_;
  bool server_;
  std::size_t n_;
  PartyOp& input_;
  std::optional<OtDigits> digits_;
  std::optional<AndTree> tree_;
  SharedBitShare carry_;
  PrivateBitsShare wrap_;
  BitProductShare product_;
  bool loaded_ = false;
  bool done_ = false;
  RingVector x_;
  BitVector msb_;
  BitVector my_wrap_, their_wrap_;
  BitVector my_carry_, their_carry_;
  BitVector my_sign_, their_sign_;
  RingVector my_value_, their_value_;
  RingVector output_;
  BitVector sign_;  // once the result is there
};

}  // namespace

ShiftKnown declare_cryptflow2_shift(const ShiftPlan& p, std::size_t volumes, Known in, unsigned first_slot,
                                    HalfList& halves) {
  SMPC_CHECK(slot_level + product_level(p) < shift_slots);
  Known known = in;
  const std::size_t wrap = p.wrap ? bit_field_bytes(p.count * volumes) : 0;
  if (p.comparison || p.wrap) {
    const std::size_t choices = wrap + (p.comparison ? choice_bytes(p, volumes) : 0);
    const std::size_t digits = wrap + (p.comparison ? digit_bytes(p, volumes) : 0);
    const int c = halves.add(Party::client, first_slot + slot_choices, choices, in.client);
    const int d = halves.add(Party::server, first_slot + slot_digits, digits, std::max(in.server, c));
    known = {std::max(in.server, c), std::max(in.client, d)};
  }
  const auto exchange = [&](unsigned level) {
    const std::size_t bytes = half_bytes(p, level, volumes);
    const int s = halves.add(Party::server, first_slot + slot_level + level, bytes, known.server);
    const int c = halves.add(Party::client, first_slot + slot_level + level, bytes, known.client);
    known = {std::max(known.server, c), std::max(known.client, s)};
  };
  for (unsigned level = 1; level <= last_level(p); ++level) exchange(level);
  const Known sign = known;
  if (p.product) exchange(product_level(p));
  return {sign, known};
}

std::unique_ptr<ShiftOp> cryptflow2_shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source) {
  return std::make_unique<Cryptflow2Shift>(plan, input, source);
}

}  // namespace smpc
