#include "smpc/protocol/lookup.h"

#include <algorithm>

#include "smpc/base/declassify.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

class LookupPartyOp final : public PartyOp {
 public:
  LookupPartyOp(const LookupDemand& d, std::size_t demand, const LookupOp& op, PartyOp& input, CorrelationSource& source)
      : d_(d), index_{d.bits}, op_(op), volumes_(source.volumes()), input_(input), share_(source.lookup(demand)) {}

  void produce(unsigned, FieldWriter& out) override {
    mask();
    out.values(index_, mine_);
  }

  void consume(unsigned, FieldReader& in) override { theirs_ = in.values(d_.count * volumes_, index_); }

  const RingVector& output() override {
    if (output_.empty()) look_up();
    return output_;
  }

 private:
  void mask() {
    if (!mine_.empty()) return;
    const RingVector& x = input_.output();
    SMPC_CHECK(x.size() == share_.r.size());
    mine_ = std::move(share_.r);
    for (std::size_t i = 0; i < x.size(); ++i) mine_[i] = index_.reduce(mine_[i] + x[i]);
  }

  void look_up() {
    SMPC_CHECK(!theirs_.empty());
    mask();
    for (std::size_t i = 0; i < mine_.size(); ++i) mine_[i] = index_.reduce(mine_[i] + theirs_[i]);
    declassify(Declassified::opened_index, std::as_bytes(std::span(mine_)));
    const std::size_t parts = op_.parts();
    const std::size_t entries = std::size_t{1} << d_.bits;
    output_.resize(parts * mine_.size());
    for (std::size_t i = 0; i < mine_.size(); ++i) {
      const std::uint64_t* one_hot = share_.one_hot.data() + i * entries;
      const std::size_t volume = i / d_.count;
      for (std::size_t k = 0; k < parts; ++k) {
        const std::int64_t* table = op_.table.data() + k * entries;
        std::uint64_t sum = 0;
        for (std::size_t v = 0; v < entries; ++v) sum += one_hot[v] * static_cast<std::uint64_t>(table[index_.reduce(mine_[i] - v)]);
        output_[(volume * parts + k) * d_.count + i % d_.count] = d_.ring.reduce(sum);
      }
    }
    share_ = {};
    mine_ = theirs_ = {};
  }

  LookupDemand d_;
  Ring index_;
  const LookupOp& op_;
  std::size_t volumes_;
  PartyOp& input_;
  LookupShare share_;
  RingVector mine_, theirs_;
  RingVector output_;
};

}  // namespace

Known declare_lookup(const LookupDemand& d, std::size_t volumes, Known in, HalfList& halves) {
  const std::size_t bytes = ring_field_bytes(d.count * volumes, Ring{d.bits});
  const int server = halves.add(Party::server, 0, bytes, in.server);
  const int client = halves.add(Party::client, 0, bytes, in.client);
  return {std::max(in.server, client), std::max(in.client, server)};
}

std::unique_ptr<PartyOp> lookup_op(const LookupDemand& d, std::size_t demand, const LookupOp& op, PartyOp& input,
                                   CorrelationSource& source) {
  return std::make_unique<LookupPartyOp>(d, demand, op, input, source);
}

}  // namespace smpc
