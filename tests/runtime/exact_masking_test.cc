// Whatever a server sends: what it hears from a client fits every volume equally well. For two volumes x and x', and messages of a
// server that are any bytes of the right length, the test finds the client's randomness under which x' gives the very bytes that x
// gave. That it can is shown first: every bit that a client sends is masked by a bit, or an element, of its own seed, and no two by
// the same. docs/PROTOCOLS.md ("A server that deviates") says why this suffices.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <variant>

#include "expand.h"
#include "smpc/net/channel.h"
#include "smpc/ring/conv.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"
#include "support/random_graph.h"
#include "support/thinned.h"

namespace smpc {
namespace {

using testing::RandomModel;

// What a client's seed gives of a correlation: the fields that depend on nothing else.
using OwnPart = std::variant<OtReceiver, AndShare, SharedBitShare, BitProductShare, PrivateBitsShare, LinearClient, OpeningShare,
                             ProductShare, LookupShare>;

OwnPart own_part(const Demand& demand, SeedReader seed) {
  return std::visit(
      [&]<class D>(const D& d) -> OwnPart {
        if constexpr (std::is_same_v<D, OtDemand>) {
          return expand_ot_receiver(d, seed);
        } else if constexpr (std::is_same_v<D, LinearDemand>) {
          return expand_linear_client(d, seed);
        } else {
          return expand(d, Party::client, seed);
        }
      },
      demand);
}

// The client's correlations, from parts that the test chooses and a seed of the server's: what an honest dealer makes of them.
class ChosenSource final : public CorrelationSource {
 public:
  ChosenSource(const Plan& plan, const Weights& weights, const Key& server, const std::vector<OwnPart>& parts)
      : plan_(plan), weights_(weights), server_(server), parts_(parts) {}
  Party party() const noexcept override { return Party::client; }
  std::size_t volumes() const noexcept override { return 1; }
  OtSender ot_sender(std::size_t) override { return {}; }
  OtReceiver ot_receiver(std::size_t i) override {
    const auto& d = std::get<OtDemand>(plan_.demands[i]);
    OtReceiver s = std::get<OtReceiver>(parts_[i]);
    s.string.resize(d.message_bits);
    correct(d, expand_ot_sender(d, SeedReader(server_, i)), s);
    return s;
  }
  AndShare and_share(std::size_t i) override { return corrected<AndShare, AndDemand>(i); }
  SharedBitShare shared_bit(std::size_t i) override { return corrected<SharedBitShare, SharedBitDemand>(i); }
  BitProductShare bit_product(std::size_t i) override { return corrected<BitProductShare, BitProductDemand>(i); }
  PrivateBitsShare private_bits(std::size_t i) override { return corrected<PrivateBitsShare, PrivateBitsDemand>(i); }
  OpeningShare opening(std::size_t i) override {
    OpeningShare s = corrected<OpeningShare, OpeningDemand>(i);
    complete_thermometers(std::get<OpeningDemand>(plan_.demands[i]), s);
    return s;
  }
  ProductShare product(std::size_t i) override { return corrected<ProductShare, ProductDemand>(i); }
  LookupShare lookup(std::size_t i) override { return corrected<LookupShare, LookupDemand>(i); }
  LinearServer linear_server(std::size_t) override { return {}; }

  // W b - r, with the mask of the opening that follows: what E b and the dealer's correction come to.
  LinearClient linear_client(std::size_t i) override {
    const auto& d = std::get<LinearDemand>(plan_.demands[i]);
    LinearClient s = std::get<LinearClient>(parts_[i]);
    s.output.assign(d.outputs, 0);
    const WeightMatrix& matrix = weights_[d.linear + d.biases_before].matrix;
    if (d.conv) {
      matrix.visit([&]<class T>(std::span<const T> m) { accumulate_conv(*d.conv, m, std::span<const std::uint64_t>(s.b), std::span(s.output), d.ring); });
    } else {
      for (std::size_t r = 0; r < d.outputs; ++r) {
        for (std::size_t c = 0; c < d.inputs; ++c) s.output[r] += static_cast<std::uint64_t>(std::int64_t{matrix[r * d.inputs + c]}) * s.b[c];
      }
    }
    const LinearServer server = expand_linear_server(d, SeedReader(server_, i));
    for (std::size_t r = 0; r < d.outputs; ++r) s.output[r] = d.ring.reduce(s.output[r] - server.r[r]);
    if (!d.opening) return s;
    SeedReader of_server(server_, *d.opening);
    const RingVector bits = expand_opening_bits(std::get<OpeningDemand>(plan_.demands[*d.opening]), of_server);
    const RingVector& own = std::get<OpeningShare>(parts_[*d.opening]).bits;
    for (std::size_t r = 0; r < d.outputs; ++r) s.output[r] = d.ring.reduce(s.output[r] + (bits[r] ^ own[r]));
    return s;
  }

 private:
  template <class S, class D>
  S corrected(std::size_t i) {
    const auto& d = std::get<D>(plan_.demands[i]);
    S s = std::get<S>(parts_[i]);
    correct(d, expand(d, Party::server, SeedReader(server_, i)), s);
    return s;
  }

  const Plan& plan_;
  const Weights& weights_;
  const Key server_;
  const std::vector<OwnPart>& parts_;
};

// One mask of a client's own, as the test changes it: a bit, or an element of a ring. `xored`: what the server's seed gives of an
// element that is shared by XOR and masks by addition; `sign`: whether what is sent grows with the mask.
struct Mask {
  BitVector* bits = nullptr;
  std::uint64_t* element = nullptr;
  std::size_t at = 0;
  Ring ring{1};
  std::uint64_t xored = 0;
  bool falls = false;

  void add(std::uint64_t difference) const {
    if (bits != nullptr) {
      bits->words()[at / 64] ^= (difference & 1) << (at % 64);
    } else {
      *element = ring.reduce((*element ^ xored) + (falls ? -difference : difference)) ^ xored;
    }
  }
};

std::vector<Mask> masks_of(const Plan& plan, const Key& server, std::vector<OwnPart>& parts) {
  std::vector<Mask> out;
  const auto bits = [&](BitVector& v) {
    for (std::size_t i = 0; i < v.size(); ++i) out.push_back({.bits = &v, .at = i});
  };
  const auto elements = [&](RingVector& v, Ring ring, bool falls) {
    for (std::uint64_t& e : v) out.push_back({.element = &e, .ring = ring, .falls = falls});
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Demand& demand = plan.demands[i];
    if (auto* s = std::get_if<OtReceiver>(&parts[i])) std::ranges::for_each(s->choice, bits);
    if (auto* s = std::get_if<AndShare>(&parts[i])) std::ranges::for_each(s->masks, bits);
    if (auto* s = std::get_if<SharedBitShare>(&parts[i])) bits(s->bit);
    if (auto* s = std::get_if<PrivateBitsShare>(&parts[i])) bits(s->bit);
    if (auto* s = std::get_if<BitProductShare>(&parts[i])) {
      bits(s->bit);
      elements(s->mask, std::get<BitProductDemand>(demand).ring, true);
    }
    if (auto* s = std::get_if<LinearClient>(&parts[i])) elements(s->b, std::get<LinearDemand>(demand).ring, true);
    if (auto* s = std::get_if<LookupShare>(&parts[i])) elements(s->r, Ring{std::get<LookupDemand>(demand).bits}, false);
    if (auto* s = std::get_if<ProductShare>(&parts[i])) {
      elements(s->left, std::get<ProductDemand>(demand).ring, true);
      elements(s->right, std::get<ProductDemand>(demand).ring, true);
    }
    if (auto* s = std::get_if<OpeningShare>(&parts[i])) {
      const auto& d = std::get<OpeningDemand>(demand);
      SeedReader of_server(server, i);
      const RingVector theirs = expand_opening_bits(d, of_server);
      for (std::size_t k = 0; k < s->bits.size(); ++k) out.push_back({.element = &s->bits[k], .ring = d.ring, .xored = theirs[k]});
      bits(s->bit);
    }
  }
  return out;
}

// All that one party has sent, bit by bit, from one half to the next.
class Transcript {
 public:
  void add(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::size_t bits() const { return 8 * bytes_.size(); }
  std::uint64_t bit(std::size_t i) const { return std::to_integer<std::uint64_t>(bytes_[i / 8]) >> (i % 8) & 1; }
  std::uint64_t element(std::size_t at, unsigned width) const {
    std::uint64_t out = 0;
    for (unsigned i = 0; i < width; ++i) out |= bit(at + i) << i;
    return out;
  }
  std::optional<std::size_t> first_difference(const Transcript& other) const {
    for (std::size_t i = 0; i < bits(); ++i) {
      if (bit(i) != other.bit(i)) return i;
    }
    return std::nullopt;
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// A client, and the bytes of a server that need not be one.
class Bench {
 public:
  Bench(const RandomModel& m) : m_(m), plan_(correlation_plan(m.program)), schedule_(make_schedule(m.program, plan_, 1)) {
    for (const Message& message : schedule_.messages) {
      if (message.from == Party::client) continue;
      lengths_.push_back(message.bytes);
    }
    for (int i = 0; i < 40; ++i) see_padding();
  }

  const Plan& plan() const { return plan_; }
  // Bits that an honest party has set in some run: the others are padding, and a receiver refuses them whatever its volume is.
  std::uint64_t is_sent(std::size_t bit) const { return from_client_.bit(bit); }

  // The server's messages, of bytes that `next` gives.
  template <class Next>
  std::vector<Bytes> messages(Next next) const {
    std::vector<Bytes> out;
    std::size_t at = 0;
    for (const std::size_t length : lengths_) {
      Bytes one(length);
      for (std::byte& b : one) b = next() & from_server_.bytes()[at++];
      out.push_back(std::move(one));
    }
    return out;
  }

  Transcript sent(const Key& server, const std::vector<OwnPart>& parts, const RingVector& x, const std::vector<Bytes>& theirs) const {
    const auto [mine, other] = memory_channels("urn:smpc:server:any", "urn:smpc:client:one");
    for (const Bytes& message : theirs) other->send(FrameType::data, message);
    ChosenSource source(plan_, m_.weights, server, parts);
    PartyRun::client(m_.program, plan_, schedule_, source, x).execute(*mine);
    Transcript all;
    for (const Message& message : schedule_.messages) {
      if (message.from != Party::client) continue;
      Bytes bytes(message.bytes);
      other->receive(FrameType::data, bytes);
      all.add(bytes);
    }
    return all;
  }

  // Where each half of the client's ends, in bits.
  std::vector<std::size_t> ends() const {
    std::vector<std::size_t> out;
    for (const Message& message : schedule_.messages) {
      if (message.from != Party::client) continue;
      for (const std::size_t h : message.halves) out.push_back((out.empty() ? 0 : out.back()) + 8 * schedule_.halves[h].bytes);
    }
    return out;
  }

 private:
  void see_padding() {
    LocalSources sources = deal_locally(plan_, m_.weights, 1);
    std::mt19937_64 rng(seen_++);
    const auto [to_client, to_server] = memory_channels("urn:smpc:server:any", "urn:smpc:client:one");
    Tap at_server(*to_client);
    Tap at_client(*to_server);
    PartyRun server = PartyRun::server(m_.program, plan_, schedule_, *sources.server, m_.weights);
    PartyRun client = PartyRun::client(m_.program, plan_, schedule_, *sources.client, testing::random_input(m_, 1, rng));
    std::jthread thread([&] { server.execute(at_server); });
    client.execute(at_client);
    thread.join();
    merge(from_server_, at_server.sent());
    merge(from_client_, at_client.sent());
  }

  // Passes all on, and keeps what is sent.
  class Tap final : public Channel {
   public:
    explicit Tap(Channel& to) : to_(to) {}
    void set_deadline(Deadline) override {}
    void close() noexcept override {}
    void cut() noexcept override {}
    const std::string& peer_identity() const noexcept override { return to_.peer_identity(); }
    const Bytes& sent() const { return sent_; }

   protected:
    void write(ByteView, ByteView payload) override {
      sent_.insert(sent_.end(), payload.begin(), payload.end());
      to_.send(FrameType::data, payload);
    }
    // A header, then its payload: frames are read whole from the other side, and given out as they are asked for.
    void read(std::span<std::byte> out) override {
      if (waiting_.empty()) {
        const Bytes payload = to_.receive_up_to(FrameType::data, std::size_t{1} << 30);
        ByteWriter frame;
        frame.u8(static_cast<std::uint8_t>(FrameType::data));
        frame.u64(payload.size());
        frame.bytes(payload);
        waiting_ = frame.take();
      }
      std::copy_n(waiting_.begin(), out.size(), out.begin());
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(out.size()));
    }

   private:
    Channel& to_;
    Bytes sent_;
    Bytes waiting_;
  };

  static void merge(Transcript& all, const Bytes& one) {
    Bytes joined = all.bytes();
    joined.resize(one.size());
    for (std::size_t i = 0; i < one.size(); ++i) joined[i] |= one[i];
    all = Transcript();
    all.add(joined);
  }

  const RandomModel& m_;
  const Plan plan_;
  const Schedule schedule_;
  std::vector<std::size_t> lengths_;
  std::uint64_t seen_ = 1;
  Transcript from_server_;
  Transcript from_client_;
};

std::vector<OwnPart> parts_of(const Plan& plan, const Key& seed) {
  std::vector<OwnPart> parts;
  for (std::size_t i = 0; i < plan.demands.size(); ++i) parts.push_back(own_part(plan.demands[i], SeedReader(seed, i)));
  return parts;
}

// Where each mask first shows: the lowest bit of what it masks. By adding to it what changes the highest bit alone.
std::vector<std::size_t> places_of_masks(const Bench& bench, const Key& server, std::vector<OwnPart> parts, const RingVector& x,
                                         const std::vector<Bytes>& theirs) {
  const Transcript before = bench.sent(server, parts, x, theirs);
  std::vector<std::size_t> places;
  for (const Mask& mask : masks_of(bench.plan(), server, parts)) {
    const std::uint64_t top = std::uint64_t{1} << (mask.ring.bits - 1);
    mask.add(top);
    const auto at = bench.sent(server, parts, x, theirs).first_difference(before);
    mask.add(top);
    EXPECT_TRUE(at) << "a mask that masks nothing";
    places.push_back(at.value_or(0) + 1 - mask.ring.bits);
  }
  return places;
}

// Changes the masks of `parts` until x gives what is wanted, half by half: what masks a half changes none before it.
Transcript adapt(const Bench& bench, const Key& server, std::vector<OwnPart>& parts, const std::vector<std::size_t>& places,
                 const RingVector& x, const std::vector<Bytes>& theirs, const Transcript& wanted) {
  const std::vector<Mask> masks = masks_of(bench.plan(), server, parts);
  std::size_t begin = 0;
  for (const std::size_t end : bench.ends()) {
    const Transcript now = bench.sent(server, parts, x, theirs);
    for (std::size_t i = 0; i < masks.size(); ++i) {
      if (places[i] < begin || places[i] >= end) continue;
      const unsigned width = masks[i].ring.bits;
      masks[i].add(wanted.element(places[i], width) - now.element(places[i], width));
    }
    begin = end;
  }
  return bench.sent(server, parts, x, theirs);
}

// `shows`: whether another volume shows in what is sent where the masks stay as they are.
void expect_exact_masking(const RandomModel& m, bool& shows) {
  const Bench bench(m);
  std::mt19937_64 rng(3);
  const Key server = random_key();
  const std::vector<OwnPart> parts = parts_of(bench.plan(), random_key());
  const RingVector x = testing::random_input(m, 1, rng);
  const auto random_bytes = [&] { return static_cast<std::byte>(rng()); };
  const std::vector<std::size_t> places = places_of_masks(bench, server, parts, x, bench.messages(random_bytes));

  // Every bit that is sent has one mask, and no two have the same.
  std::vector<OwnPart> copy = parts;
  const std::vector<Mask> masks = masks_of(bench.plan(), server, copy);
  std::vector<int> covered(bench.ends().back());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    ASSERT_LE(places[i] + masks[i].ring.bits, covered.size());
    for (unsigned b = 0; b < masks[i].ring.bits; ++b) ++covered[places[i] + b];
  }
  for (std::size_t bit = 0; bit < covered.size(); ++bit) {
    ASSERT_EQ(covered[bit], static_cast<int>(bench.is_sent(bit))) << "bit " << bit;
  }

  const std::vector<std::vector<Bytes>> servers = {bench.messages(random_bytes), bench.messages([] { return std::byte{0}; }),
                                                   bench.messages([] { return std::byte{0xff}; }),
                                                   bench.messages([] { return std::byte{0x5a}; })};
  for (const std::vector<Bytes>& theirs : servers) {
    const Transcript wanted = bench.sent(server, parts, x, theirs);
    std::vector<RingVector> others = {testing::random_input(m, 1, rng), RingVector(x.size()), RingVector(x.size(), m.program.input().ring.mask())};
    for (const RingVector& other : others) {
      shows |= bench.sent(server, parts, other, theirs).bytes() != wanted.bytes();
      std::vector<OwnPart> adapted = parts;
      EXPECT_EQ(adapt(bench, server, adapted, places, other, theirs, wanted).bytes(), wanted.bytes());
    }
  }
}

class ExactMasking : public ::testing::TestWithParam<Suite> {};

// Of programs with every kind of op, for both policies, as small as they come.
TEST_P(ExactMasking, WhateverAServerSendsItsViewFitsEveryVolume) {
  std::size_t kinds = 0;
  std::size_t tried = 0;
  std::size_t shown = 0;
  std::vector<bool> seen(std::variant_size_v<OpKind>);
  constexpr int enough = 12 / testing::one_in(3);
  for (std::uint64_t seed = 1; seed < 400 && (kinds < seen.size() || tried < enough); ++seed) {
    std::mt19937_64 rng(seed);
    const RandomModel m = seed % 4 == 0 ? testing::random_mlp(rng, GetParam()) : testing::random_graph(rng, GetParam(), 1 + seed % 6);
    const Plan plan = correlation_plan(m.program);
    const Cost cost = predicted_cost(make_schedule(m.program, plan, 1));
    if (cost.client_to_server > 400 || plan.demands.empty()) continue;  // each bit costs a run
    bool is_new = tried < enough;
    for (const Op& op : m.program.ops) is_new |= !seen[op.kind.index()];
    if (!is_new) continue;
    for (const Op& op : m.program.ops) {
      kinds += !seen[op.kind.index()];
      seen[op.kind.index()] = true;
    }
    ++tried;
    SCOPED_TRACE(seed);
    bool shows = false;
    expect_exact_masking(m, shows);
    shown += shows;
  }
  EXPECT_GE(shown, 8U / testing::one_in(3));  // not of a program that multiplies its input by zero
  EXPECT_EQ(kinds, seen.size());
}

INSTANTIATE_TEST_SUITE_P(Suites, ExactMasking, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
