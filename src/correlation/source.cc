#include "smpc/correlation/source.h"

#include <algorithm>

#include "expand.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// Joins the shares of several volumes, field by field.
void append(BitVector& to, const BitVector& part, std::size_t volume, std::size_t volumes) {
  if (volume == 0) to = BitVector(part.size() * volumes);
  to.place(volume * part.size(), part);
}
void append(RingVector& to, const RingVector& part, std::size_t volume, std::size_t volumes) {
  if (volume == 0) to.reserve(part.size() * volumes);
  to.insert(to.end(), part.begin(), part.end());
}
void append(std::vector<BitVector>& to, const std::vector<BitVector>& part, std::size_t volume, std::size_t volumes) {
  to.resize(part.size());
  for (std::size_t i = 0; i < part.size(); ++i) append(to[i], part[i], volume, volumes);
}

template <class F>
void each_field(OtSender& a, const OtSender& b, F f) { f(a.strings, b.strings); }
template <class F>
void each_field(OtReceiver& a, const OtReceiver& b, F f) { f(a.choice, b.choice); f(a.string, b.string); }
template <class F>
void each_field(AndShare& a, const AndShare& b, F f) { f(a.masks, b.masks); f(a.products, b.products); }
template <class F>
void each_field(SharedBitShare& a, const SharedBitShare& b, F f) { f(a.bit, b.bit); f(a.value, b.value); }
template <class F>
void each_field(BitProductShare& a, const BitProductShare& b, F f) {
  f(a.bit, b.bit);
  f(a.bit_value, b.bit_value);
  f(a.mask, b.mask);
  f(a.product, b.product);
}
template <class F>
void each_field(PrivateBitsShare& a, const PrivateBitsShare& b, F f) { f(a.bit, b.bit); f(a.product, b.product); }
template <class F>
void each_field(OpeningShare& a, const OpeningShare& b, F f) {
  f(a.r, b.r);
  f(a.thermometers, b.thermometers);
  f(a.shifted, b.shifted);
  f(a.top, b.top);
  f(a.bit, b.bit);
  f(a.bit_value, b.bit_value);
  f(a.bit_shifted, b.bit_shifted);
  f(a.bit_top, b.bit_top);
}
template <class F>
void each_field(ProductShare& a, const ProductShare& b, F f) {
  f(a.left, b.left);
  f(a.right, b.right);
  f(a.product, b.product);
}
template <class F>
void each_field(LookupShare& a, const LookupShare& b, F f) { f(a.r, b.r); f(a.one_hot, b.one_hot); }
template <class F>
void each_field(LinearServer& a, const LinearServer& b, F f) { f(a.r, b.r); }
template <class F>
void each_field(LinearClient& a, const LinearClient& b, F f) { f(a.b, b.b); f(a.output, b.output); }

class SourceBase : public CorrelationSource {
 public:
  SourceBase(const Plan& plan, std::size_t volumes) : plan_(plan), volumes_(volumes), taken_(plan.demands.size()) {}
  std::size_t volumes() const noexcept override { return volumes_; }

 protected:
  template <class D>
  const D& take(std::size_t demand) {
    SMPC_CHECK(demand < taken_.size() && !taken_[demand]);
    taken_[demand] = true;
    return std::get<D>(plan_.demands[demand]);
  }

  template <class S, class MakeOne>
  S join(MakeOne make_one) {
    if (volumes_ == 1) return make_one(0);
    S all;
    for (std::size_t v = 0; v < volumes_; ++v) {
      const S one = make_one(v);
      each_field(all, one, [&](auto& to, const auto& part) { append(to, part, v, volumes_); });
    }
    return all;
  }

  const Plan& plan_;

 private:
  std::size_t volumes_;
  std::vector<bool> taken_;
};

class ServerSource final : public SourceBase {
 public:
  ServerSource(const Plan& plan, std::vector<Key> seeds) : SourceBase(plan, seeds.size()), seeds_(std::move(seeds)) {}
  Party party() const noexcept override { return Party::server; }

  OtSender ot_sender(std::size_t i) override {
    const auto& d = take<OtDemand>(i);
    return join<OtSender>([&](std::size_t v) { return expand_ot_sender(d, SeedReader(seeds_[v], i)); });
  }
  OtReceiver ot_receiver(std::size_t) override { return not_mine<OtReceiver>(); }
  AndShare and_share(std::size_t i) override { return both<AndShare, AndDemand>(i); }
  SharedBitShare shared_bit(std::size_t i) override { return both<SharedBitShare, SharedBitDemand>(i); }
  BitProductShare bit_product(std::size_t i) override { return both<BitProductShare, BitProductDemand>(i); }
  PrivateBitsShare private_bits(std::size_t i) override { return both<PrivateBitsShare, PrivateBitsDemand>(i); }
  OpeningShare opening(std::size_t i) override {
    const auto& d = take<OpeningDemand>(i);
    return join<OpeningShare>([&](std::size_t v) {
      OpeningShare s = expand(d, Party::server, SeedReader(seeds_[v], i));
      complete_thermometers(d, s);
      return s;
    });
  }
  ProductShare product(std::size_t i) override { return both<ProductShare, ProductDemand>(i); }
  LookupShare lookup(std::size_t i) override { return both<LookupShare, LookupDemand>(i); }
  LinearServer linear_server(std::size_t i) override {
    const auto& d = take<LinearDemand>(i);
    return join<LinearServer>([&](std::size_t v) { return expand_linear_server(d, SeedReader(seeds_[v], i)); });
  }
  LinearClient linear_client(std::size_t) override { return not_mine<LinearClient>(); }

 private:
  template <class S>
  S not_mine() {
    constexpr bool the_server_asks_for_the_servers_part = false;
    SMPC_CHECK(the_server_asks_for_the_servers_part);
    return S{};
  }
  template <class S, class D>
  S both(std::size_t i) {
    const auto& d = take<D>(i);
    return join<S>([&](std::size_t v) { return expand(d, Party::server, SeedReader(seeds_[v], i)); });
  }
  std::vector<Key> seeds_;
};

class ClientSource final : public SourceBase {
 public:
  ClientSource(const Plan& plan, std::vector<StoredMaterial> bundles)
      : SourceBase(plan, bundles.size()), bundles_(std::move(bundles)) {}
  Party party() const noexcept override { return Party::client; }

  OtSender ot_sender(std::size_t) override { return not_mine<OtSender>(); }
  OtReceiver ot_receiver(std::size_t i) override {
    const auto& d = take<OtDemand>(i);
    return join<OtReceiver>([&](std::size_t v) { return corrected(i, v, d, expand_ot_receiver(d, seed(i, v))); });
  }
  AndShare and_share(std::size_t i) override { return both<AndShare, AndDemand>(i); }
  SharedBitShare shared_bit(std::size_t i) override { return both<SharedBitShare, SharedBitDemand>(i); }
  BitProductShare bit_product(std::size_t i) override { return both<BitProductShare, BitProductDemand>(i); }
  PrivateBitsShare private_bits(std::size_t i) override { return both<PrivateBitsShare, PrivateBitsDemand>(i); }
  OpeningShare opening(std::size_t i) override {
    const auto& d = take<OpeningDemand>(i);
    return join<OpeningShare>([&](std::size_t v) {
      OpeningShare s = corrected(i, v, d, expand(d, Party::client, seed(i, v)));
      complete_thermometers(d, s);
      return s;
    });
  }
  ProductShare product(std::size_t i) override { return both<ProductShare, ProductDemand>(i); }
  LookupShare lookup(std::size_t i) override { return both<LookupShare, LookupDemand>(i); }
  LinearServer linear_server(std::size_t) override { return not_mine<LinearServer>(); }
  LinearClient linear_client(std::size_t i) override {
    const auto& d = take<LinearDemand>(i);
    return join<LinearClient>([&](std::size_t v) { return corrected(i, v, d, expand_linear_client(d, seed(i, v))); });
  }

 private:
  template <class S>
  S not_mine() {
    constexpr bool the_client_asks_for_the_clients_part = false;
    SMPC_CHECK(the_client_asks_for_the_clients_part);
    return S{};
  }
  SeedReader seed(std::size_t i, std::size_t v) const { return SeedReader(bundles_[v].seed, i); }
  template <class D, class S>
  S corrected(std::size_t i, std::size_t v, const D& d, S share) const {
    ReadFields fields(bundles_[v], plan_.offsets[i]);
    corrected_fields(d, share, fields);
    return share;
  }
  template <class S, class D>
  S both(std::size_t i) {
    const auto& d = take<D>(i);
    return join<S>([&](std::size_t v) { return corrected(i, v, d, expand(d, Party::client, seed(i, v))); });
  }
  std::vector<StoredMaterial> bundles_;
};

}  // namespace

std::unique_ptr<CorrelationSource> server_source(const Plan& plan, std::vector<Key> seeds) {
  return std::make_unique<ServerSource>(plan, std::move(seeds));
}

std::unique_ptr<CorrelationSource> client_source(const Plan& plan, std::vector<StoredMaterial> bundles) {
  return std::make_unique<ClientSource>(plan, std::move(bundles));
}

std::unique_ptr<CorrelationSource> client_source(const Plan& plan, std::vector<ClientMaterial> bundles) {
  std::vector<StoredMaterial> stored;
  for (ClientMaterial& b : bundles) {
    SMPC_CHECK(b.corrections.size() == plan.correction_bytes());
    stored.push_back({b.seed, [held = std::move(b.corrections)](std::size_t from, std::span<std::byte> to) {
                        const ByteView part = ByteView(held).subspan(from, to.size());
                        std::copy(part.begin(), part.end(), to.begin());
                      }});
  }
  return client_source(plan, std::move(stored));
}

}  // namespace smpc
