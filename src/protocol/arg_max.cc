#include "smpc/protocol/arg_max.h"

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/protocol/shift.h"

namespace smpc {
namespace {

// Slots: each round has the ReLU's, then one for the selection of the index; the opening comes after all rounds.
constexpr unsigned round_slots = shift_slots + 1;
unsigned slot_of_round(std::size_t round) { return static_cast<unsigned>(round) * round_slots; }
unsigned slot_of_opening(const ArgMaxPlan& p) { return slot_of_round(p.rounds.size()); }

class ArgMaxOpImpl final : public PartyOp {
 public:
  ArgMaxOpImpl(const ArgMaxPlan& plan, Ring ring, PartyOp& input, CorrelationSource& source)
      : p_(plan),
        ring_(ring),
        server_(source.party() == Party::server),
        volumes_(source.volumes()),
        input_(input) {
    for (const ArgMaxRound& r : p_.rounds) {
      Round& round = rounds_.emplace_back();
      round.difference = std::make_unique<Difference>();
      round.compare = shift_op(r.compare, *round.difference, source);
      if (r.select_index) round.select = source.and_share(*r.select_index);
    }
  }

  void produce(unsigned slot, FieldWriter& out) override {
    if (slot == slot_of_opening(p_)) {
      for (const BitVector& b : index_bits(p_.rounds.size())) out.bits(b);
      return;
    }
    const std::size_t r = slot / round_slots;
    enter(r);
    if (slot % round_slots < shift_slots) {
      rounds_[r].compare->produce(slot % round_slots, out);
    } else {
      for (const BitVector& b : masked_selection(r)) out.bits(b);
    }
  }

  void consume(unsigned slot, FieldReader& in) override {
    if (slot == slot_of_opening(p_)) {
      for (std::size_t t = 0; t < p_.rounds.size(); ++t) their_index_.push_back(in.bits(volumes_));
      return;
    }
    const std::size_t r = slot / round_slots;
    if (slot % round_slots < shift_slots) {
      rounds_[r].compare->consume(slot % round_slots, in);
    } else {
      for (std::size_t i = 0; i <= r; ++i) rounds_[r].theirs.push_back(in.bits(p_.rounds[r].pairs * volumes_));
    }
  }

  const RingVector& output() override {
    if (result_.empty()) {
      result_.assign(volumes_, 0);
      if (server_) return result_;
      std::vector<BitVector> bits = index_bits(p_.rounds.size());
      for (std::size_t t = 0; t < bits.size(); ++t) {
        bits[t] ^= their_index_[t];
        for (std::size_t v = 0; v < volumes_; ++v) result_[v] |= bits[t].get(v) << t;
      }
    }
    return result_;
  }

 private:
  // The input of a round's comparison, filled in when the round begins.
  class Difference final : public PartyOp {
   public:
    void produce(unsigned, FieldWriter&) override {}
    void consume(unsigned, FieldReader&) override {}
    const RingVector& output() override { return values; }
    RingVector values;
  };

  struct Round {
    std::unique_ptr<Difference> difference;
    std::unique_ptr<ShiftOp> compare;
    AndShare select;
    bool entered = false;
    RingVector candidates;         // volume by volume
    std::vector<BitVector> index;  // bit t of every candidate's index within its subtree
    std::vector<BitVector> mine, theirs;
  };

  std::size_t candidates_in(std::size_t r) const {
    return r == p_.rounds.size() ? 1 : 2 * p_.rounds[r].pairs + (p_.rounds[r].odd ? 1 : 0);
  }

  void enter(std::size_t r) {
    Round& round = rounds_[r];
    if (round.entered) return;
    round.entered = true;
    round.candidates = r == 0 ? input_.output() : winners(r - 1);
    round.index = index_bits(r);
    const std::size_t m = candidates_in(r);
    const std::size_t pairs = p_.rounds[r].pairs;
    RingVector& diff = round.difference->values;
    for (std::size_t v = 0; v < volumes_; ++v) {
      const auto* x = round.candidates.data() + v * m;
      for (std::size_t i = 0; i < pairs; ++i) diff.push_back(ring_.reduce(x[2 * i] - x[2 * i + 1]));
    }
  }

  // right + ReLU(left - right), and the odd one.
  RingVector winners(std::size_t r) {
    const std::size_t m = candidates_in(r);
    const std::size_t pairs = p_.rounds[r].pairs;
    const RingVector& gain = rounds_[r].compare->output();
    RingVector out;
    for (std::size_t v = 0; v < volumes_; ++v) {
      const auto* x = rounds_[r].candidates.data() + v * m;
      for (std::size_t i = 0; i < pairs; ++i) out.push_back(ring_.reduce(x[2 * i + 1] + gain[v * pairs + i]));
      if (p_.rounds[r].odd) out.push_back(x[m - 1]);
    }
    return out;
  }

  // One side (0 left, 1 right) of every pair of a round, from a vector over candidates.
  BitVector side(std::size_t r, const BitVector& bits, std::size_t which) const {
    const std::size_t m = candidates_in(r);
    const std::size_t pairs = p_.rounds[r].pairs;
    BitVector out(pairs * volumes_);
    for (std::size_t v = 0; v < volumes_; ++v) {
      for (std::size_t i = 0; i < pairs; ++i) out.put(v * pairs + i, bits.get(v * m + 2 * i + which));
    }
    return out;
  }

  // Input 0 of the selection is d, input 1 + t the difference of bit t.
  std::vector<BitVector> selection_inputs(std::size_t r) {
    std::vector<BitVector> in{rounds_[r].compare->sign()};
    for (const BitVector& b : rounds_[r].index) in.push_back(side(r, b, 0) ^ side(r, b, 1));
    return in;
  }

  const std::vector<BitVector>& masked_selection(std::size_t r) {
    Round& round = rounds_[r];
    round.mine = selection_inputs(r);
    for (std::size_t i = 0; i < round.mine.size(); ++i) round.mine[i] ^= round.select.masks[i];
    return round.mine;
  }

  // Index bits of the candidates that enter round r (r bits each), this party's shares.
  std::vector<BitVector> index_bits(std::size_t r) {
    if (r == 0) return {};
    Round& before = rounds_[r - 1];
    const std::size_t pairs = p_.rounds[r - 1].pairs;
    const std::size_t m = candidates_in(r - 1);
    std::vector<BitVector> chosen;
    if (r > 1) {
      const BitVector open_d = before.mine[0] ^ before.theirs[0];
      for (std::size_t t = 0; t + 1 < r; ++t) {
        const BitVector open = before.mine[t + 1] ^ before.theirs[t + 1];
        BitVector product = (open_d & before.select.masks[t + 1]) ^ (open & before.select.masks[0]) ^
                            before.select.products[t];
        if (server_) product ^= open_d & open;
        chosen.push_back(side(r - 1, before.index[t], 1) ^ product);
      }
    }
    BitVector last = before.compare->sign();
    if (server_) last.flip();
    chosen.push_back(last);
    if (!p_.rounds[r - 1].odd) return chosen;
    return with_odd_one(chosen, before.index, pairs, m);
  }

  // The odd candidate keeps its bits, and its new bit is 0.
  std::vector<BitVector> with_odd_one(const std::vector<BitVector>& chosen, const std::vector<BitVector>& index,
                                      std::size_t pairs, std::size_t m) const {
    std::vector<BitVector> out;
    for (std::size_t t = 0; t < chosen.size(); ++t) {
      BitVector b((pairs + 1) * volumes_);
      for (std::size_t v = 0; v < volumes_; ++v) {
        for (std::size_t i = 0; i < pairs; ++i) b.put(v * (pairs + 1) + i, chosen[t].get(v * pairs + i));
        if (t < index.size()) b.put(v * (pairs + 1) + pairs, index[t].get(v * m + m - 1));
      }
      out.push_back(std::move(b));
    }
    return out;
  }

  const ArgMaxPlan& p_;
  Ring ring_;
  bool server_;
  std::size_t volumes_;
  PartyOp& input_;
  std::vector<Round> rounds_;
  std::vector<BitVector> their_index_;
  RingVector result_;
};

}  // namespace

Known declare_arg_max(const ArgMaxPlan& p, std::size_t volumes, Known in, HalfList& halves) {
  Known value = in;
  Known index{none, none};
  for (std::size_t r = 0; r < p.rounds.size(); ++r) {
    const ArgMaxRound& round = p.rounds[r];
    const ShiftKnown known = declare_shift(round.compare, volumes, value, slot_of_round(r), halves);
    value = known.output;
    Known before{std::max(index.server, known.sign.server), std::max(index.client, known.sign.client)};
    index = before;
    if (!round.select_index) continue;
    const std::size_t bytes = (r + 1) * bit_field_bytes(round.pairs * volumes);
    const unsigned slot = slot_of_round(r) + shift_slots;
    const int s = halves.add(Party::server, slot, bytes, before.server);
    const int c = halves.add(Party::client, slot, bytes, before.client);
    index = {std::max(before.server, c), std::max(before.client, s)};
    // The next round reads value and index together.
    value = {std::max(value.server, index.server), std::max(value.client, index.client)};
  }
  if (p.rounds.empty()) return in;
  const std::size_t bytes = p.rounds.size() * bit_field_bytes(volumes);
  const int sent = halves.add(Party::server, slot_of_opening(p), bytes, index.server);
  return {index.server, std::max(index.client, sent)};
}

std::unique_ptr<PartyOp> arg_max_op(const ArgMaxPlan& plan, Ring ring, PartyOp& input,
                                    CorrelationSource& source) {
  return std::make_unique<ArgMaxOpImpl>(plan, ring, input, source);
}

}  // namespace smpc
