#include "smpc/protocol/product.h"

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

class ProductPartyOp final : public PartyOp {
 public:
  ProductPartyOp(const ProductDemand& d, std::size_t demand, PartyOp& left, PartyOp& right, CorrelationSource& source)
      : d_(d),
        server_(source.party() == Party::server),
        volumes_(source.volumes()),
        left_(left),
        right_(right),
        share_(source.product(demand)) {}

  void produce(unsigned, FieldWriter& out) override {
    mask();
    out.values(d_.ring, d_left_);
    out.values(d_.ring, d_right_);
  }

  void consume(unsigned, FieldReader& in) override {
    their_left_ = in.values(share_.left.size(), d_.ring);
    their_right_ = in.values(share_.right.size(), d_.ring);
  }

  const RingVector& output() override {
    if (output_.empty()) join();
    return output_;
  }

 private:
  // d and e, this party's shares.
  void mask() {
    if (!d_left_.empty()) return;
    d_left_ = difference(left_.output(), share_.left);
    d_right_ = difference(right_.output(), share_.right);
  }

  RingVector difference(const RingVector& x, const RingVector& mask) const {
    SMPC_CHECK(x.size() == mask.size());
    RingVector out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = d_.ring.reduce(x[i] - mask[i]);
    return out;
  }

  void join() {
    SMPC_CHECK(!their_left_.empty());
    mask();
    for (std::size_t i = 0; i < d_left_.size(); ++i) d_left_[i] += their_left_[i];
    for (std::size_t i = 0; i < d_right_.size(); ++i) d_right_[i] += their_right_[i];
    output_ = std::move(share_.product);
    add(d_left_, share_.right);
    // The server's u + d meets e once: u e and d e together.
    if (server_) {
      for (std::size_t i = 0; i < d_left_.size(); ++i) share_.left[i] += d_left_[i];
    }
    add(share_.left, d_right_);
    reduce_all(d_.ring, output_);
    d_left_ = d_right_ = their_left_ = their_right_ = share_.left = share_.right = {};
  }

  void add(const RingVector& a, const RingVector& b) {
    const ProductOp& s = d_.shape;
    for (std::size_t v = 0; v < volumes_; ++v) {
      accumulate_matrices(s.batch, s.rows, s.inner, s.columns, std::span(a).subspan(v * s.left(), s.left()),
                          std::span(b).subspan(v * s.right(), s.right()),
                          std::span(output_).subspan(v * s.outputs(), s.outputs()));
    }
  }

  ProductDemand d_;
  bool server_;
  std::size_t volumes_;
  PartyOp& left_;
  PartyOp& right_;
  ProductShare share_;
  RingVector d_left_, d_right_;
  RingVector their_left_, their_right_;
  RingVector output_;
};

}  // namespace

Known declare_product(const ProductDemand& d, std::size_t volumes, Known in, HalfList& halves) {
  const std::size_t bytes =
      ring_field_bytes(d.shape.left() * volumes, d.ring) + ring_field_bytes(d.shape.right() * volumes, d.ring);
  const int server = halves.add(Party::server, 0, bytes, in.server);
  const int client = halves.add(Party::client, 0, bytes, in.client);
  return {std::max(in.server, client), std::max(in.client, server)};
}

std::unique_ptr<PartyOp> product_op(const ProductDemand& d, std::size_t demand, PartyOp& left, PartyOp& right,
                                    CorrelationSource& source) {
  return std::make_unique<ProductPartyOp>(d, demand, left, right, source);
}

}  // namespace smpc
