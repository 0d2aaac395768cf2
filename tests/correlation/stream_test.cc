// No two fields, demands, parties or bundles draw from one stream: the first 16 bytes of every stream of a plan are
// collected, and no two are alike.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "expand.h"
#include "smpc/correlation/bundle.h"
#include "smpc/correlation/masks.h"

namespace smpc {
namespace {

Program program(Suite suite) {
  Program p;
  p.suite = suite;
  p.inputs = {{"x", {200}, -1, 1}};
  p.tensors = {{200, 12, Ring{64}}, {200, 24, Ring{64}}, {200, 12, Ring{64}}, {200, 24, Ring{64}},
               {200, 4, Ring{64}},  {200, 14, Ring{64}}, {1, 0, Ring{8}}};
  p.ops = {{"a", LinearOp{200, 200}}, {"b", ReluOp{12}},         {"c", LinearOp{200, 200}},
           {"d", TruncateOp{20}},     {"e", LinearOp{200, 200}}, {"f", ArgMaxOp{}}};
  p.outputs = {{"y", {200}}};
  p.labels.assign(200, "x");
  encode(p);  // it is a program
  return p;
}

class Streams {
 public:
  void add(ByteView stream, const std::string& name) {
    if (stream.size() < 16) return;
    const auto [at, fresh] = seen_.try_emplace(to_hex(stream.first(16)), name);
    EXPECT_TRUE(fresh) << name << " begins as " << at->second;
  }
  void add(const BitVector& v, const std::string& name) {
    if (v.size() >= 128) add(std::as_bytes(v.words()), name);
  }
  void add(const std::vector<BitVector>& vs, const std::string& name) {
    for (std::size_t i = 0; i < vs.size(); ++i) add(vs[i], name + "." + std::to_string(i));
  }
  // Of rings of 64 bits the words are the stream.
  void add(const RingVector& v, const std::string& name) { add(std::as_bytes(std::span(v)), name); }
  std::size_t size() const { return seen_.size(); }

 private:
  std::map<std::string, std::string> seen_;
};

void collect(Streams& all, const Demand& demand, std::size_t i, const Key& seed, Party party, const std::string& name) {
  const SeedReader reader(seed, i);
  if (const auto* d = std::get_if<OtDemand>(&demand)) {
    if (party == Party::server) {
      all.add(expand_ot_sender(*d, reader).strings, name);
    } else {
      all.add(expand_ot_receiver(*d, reader).choice, name);
    }
  } else if (const auto* a = std::get_if<AndDemand>(&demand)) {
    const AndShare s = expand(*a, party, reader);
    all.add(s.masks, name + " masks");
    all.add(s.products, name + " products");
  } else if (const auto* b = std::get_if<SharedBitDemand>(&demand)) {
    const SharedBitShare s = expand(*b, party, reader);
    all.add(s.bit, name + " bit");
    all.add(s.value, name + " value");
  } else if (const auto* p = std::get_if<BitProductDemand>(&demand)) {
    const BitProductShare s = expand(*p, party, reader);
    all.add(s.bit, name + " bit");
    all.add(s.mask, name + " mask");
    all.add(s.bit_value, name + " value");
    all.add(s.product, name + " product");
  } else if (const auto* o = std::get_if<PrivateBitsDemand>(&demand)) {
    const PrivateBitsShare s = expand(*o, party, reader);
    all.add(s.bit, name + " bit");
    all.add(s.product, name + " product");
  } else if (const auto* q = std::get_if<OpeningDemand>(&demand)) {
    const OpeningShare s = expand(*q, party, reader);
    all.add(s.bits, name + " bits");
    if (!q->carried) all.add(s.r, name + " r");
    all.add(s.thermometers, name + " thermometers");
    all.add(s.shifted, name + " shifted");
    all.add(s.top, name + " top");
    all.add(s.bit, name + " bit");
    all.add(s.bit_value, name + " bit value");
    all.add(s.bit_shifted, name + " bit shifted");
    all.add(s.bit_top, name + " bit top");
  } else {
    const auto& l = std::get<LinearDemand>(demand);
    if (party == Party::server) {
      all.add(expand_linear_server(l, reader).r, name + " r");
    } else {
      all.add(expand_linear_client(l, reader).b, name + " b");
    }
  }
}

class StreamsOfAPlan : public ::testing::TestWithParam<Suite> {};

TEST_P(StreamsOfAPlan, AreAllDifferent) {
  const Plan plan = correlation_plan(program(GetParam()));
  const Key root = random_key();
  Streams all;
  for (int bundle = 0; bundle < 2; ++bundle) {
    BundleHeader h;
    os_random(h.serial);
    const Key seeds[] = {server_seed(h, program_key(root, h.program, h.mask)), random_key()};
    for (const Party party : {Party::server, Party::client}) {
      for (std::size_t i = 0; i < plan.demands.size(); ++i) {
        collect(all, plan.demands[i], i, seeds[index_of(party)], party,
                "bundle " + std::to_string(bundle) + ", party " + std::to_string(index_of(party)) + ", demand " +
                    std::to_string(i));
      }
    }
  }
  for (const char id : {'1', '2'}) {
    MaskId mask{};
    mask[0] = static_cast<std::byte>(id);
    const Key key = mask_key(program_key(root, Digest{}, mask));
    for (const LinearDemand& d : MaskedLayout(plan).linears) {
      RingVector rows(d.inputs * d.outputs);
      MaskRows(key, d).rows(0, rows);
      for (std::size_t r = 0; r < d.outputs; ++r) {
        all.add(std::as_bytes(std::span(rows).subspan(r * d.inputs, d.inputs)), "a row of A");
      }
    }
  }
  EXPECT_GT(all.size(), 1000U);
}

INSTANTIATE_TEST_SUITE_P(Suites, StreamsOfAPlan, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

// One seed for both parties, were it ever to happen, is another matter: but one seed never gives two demands the same.
TEST(Streams, OfOneSeedDifferByDemandAndField) {
  const Key seed = random_key();
  Streams all;
  for (std::size_t demand = 0; demand < 50; ++demand) {
    SeedReader reader(seed, demand);
    for (int field = 0; field < 20; ++field) all.add(reader.values(2, Ring{64}), std::to_string(demand));
  }
  EXPECT_EQ(all.size(), 1000U);
}

}  // namespace
}  // namespace smpc
