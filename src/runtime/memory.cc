#include "smpc/runtime/memory.h"

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/crypto/sealed_pieces.h"

namespace smpc {
namespace {

std::size_t ring_bytes(std::size_t count) { return count * sizeof(std::uint64_t); }
std::size_t bit_bytes(std::size_t count, std::size_t vectors = 1) { return vectors * ((count + 63) / 64) * sizeof(std::uint64_t); }

// What a party holds of a correlation for one volume, in memory. Rings take a word a value.
struct ShareSize {
  Party party;

  std::size_t operator()(const OtDemand& d) const {
    const std::size_t vectors = party == Party::server ? (std::size_t{1} << d.choice_bits) * d.message_bits : d.choice_bits + d.message_bits;
    return bit_bytes(d.count, vectors);
  }
  std::size_t operator()(const AndDemand& d) const { return bit_bytes(d.count, d.inputs + d.products.size()); }
  std::size_t operator()(const SharedBitDemand& d) const { return bit_bytes(d.count) + ring_bytes(d.count); }
  std::size_t operator()(const BitProductDemand& d) const { return bit_bytes(d.count) + 3 * ring_bytes(d.count); }
  std::size_t operator()(const PrivateBitsDemand& d) const { return bit_bytes(d.count) + ring_bytes(d.count); }
  std::size_t operator()(const OpeningDemand& d) const {
    const std::size_t top = d.top.bits > 0 ? 1 : 0;
    const std::size_t values = (d.carried ? 0 : 1) + (d.out.bits > 0 ? 1 : 0) + top + (d.select ? 2 + top : 0);
    return bit_bytes(d.count, thermometer_bits(d) + (d.select ? 1 : 0)) + values * ring_bytes(d.count);
  }
  std::size_t operator()(const ProductDemand& d) const { return ring_bytes(d.shape.left() + d.shape.right() + d.shape.outputs()); }
  std::size_t operator()(const LookupDemand& d) const { return ring_bytes(d.count + d.entries()); }
  std::size_t operator()(const LinearDemand& d) const { return ring_bytes(d.outputs + (party == Party::client ? d.inputs : 0)); }
};

// What an op takes while it works, beside its result.
struct WorkSize {
  const Plan& plan;
  Party party;

  std::size_t share(std::size_t demand) const { return std::visit(ShareSize{party}, plan.demands[demand]); }

  std::size_t operator()(const LinearPlan& p) const {
    const auto& d = std::get<LinearDemand>(plan.demands[p.demand]);
    // The server: r becomes its result; what was opened, and the product. The client: b; its result is there from the beginning.
    return ring_bytes(d.inputs + (party == Party::server ? d.outputs : 0));
  }
  std::size_t operator()(const ShiftPlan& p) const {
    std::size_t bytes = 0;
    for (const std::size_t d : p.node_demands) bytes += d == p.opening ? 0 : share(d);
    for (const auto& d : {p.carry, p.wrap, p.product, p.opening, p.low_bit}) bytes += d ? share(*d) : 0;
    // The shares of every node, and what is opened: x by both, in suite cryptflow2 its bits as well.
    const std::size_t nodes = p.comparison ? 2 * p.comparison->nodes.size() : 0;
    return bytes + bit_bytes(p.count, nodes) + 2 * ring_bytes(p.count) + (p.opening ? 0 : bit_bytes(p.count, p.in.bits));
  }
  std::size_t operator()(const ArgMaxPlan& p) const {
    std::size_t bytes = 0;
    for (const ArgMaxRound& r : p.rounds) {
      bytes += (*this)(r.compare) + (r.select_index ? share(*r.select_index) : 0) + 3 * ring_bytes(2 * r.pairs);
    }
    return bytes;
  }
  std::size_t operator()(const LocalPlan&) const { return 0; }
  std::size_t operator()(const ProductPlan& p) const {
    const ProductOp& s = std::get<ProductDemand>(plan.demands[p.demand]).shape;
    return share(p.demand) - ring_bytes(s.outputs()) + 2 * ring_bytes(s.left() + s.right());
  }
  std::size_t operator()(const StepPlan& p) const { return (*this)(p.compare) + share(p.bit); }
  std::size_t operator()(const LookupPlan& p) const {
    const auto& d = std::get<LookupDemand>(plan.demands[p.demand]);
    return share(p.demand) + ring_bytes(d.count);
  }
};

// Goes through the schedule as PartyRun does, with sizes in the place of values.
class Simulation {
 public:
  Simulation(const Program& program, const Plan& plan, const Schedule& schedule, Party party)
      : schedule_(schedule), party_(party), ops_(plan.ops.size() + 2) {
    const std::size_t volumes = schedule.volumes;
    ops_.front().result = party == Party::client || !linear_maps_alone_read_the_input(program, plan) ? ring_bytes(program.input().count) * volumes : 0;
    ops_.front().made = ops_.front().computed = true;
    held_ = ops_.front().result;
    if (party == Party::client) {
      piece_ = std::min(plan.correction_bytes(), piece_bytes);
      held_ += piece_ * volumes;
    }
    for (std::size_t i = 0; i < plan.ops.size(); ++i) {
      Op& op = ops_[i + 1];
      op.working = std::visit(WorkSize{plan, party}, plan.ops[i]) * volumes;
      op.result = ring_bytes(program.tensors[i + 1].count) * volumes;
      // Of linear maps this stands in the correlation from the beginning.
      op.early = std::holds_alternative<LinearPlan>(plan.ops[i]);
      for (const std::size_t t : program.inputs_of(i)) op.inputs.push_back(t);
    }
    Op& opening = ops_.back();
    if (program.reveal == Reveal::logits) {
      opening.inputs = {plan.ops.size()};
      opening.result = opening.working = ring_bytes(program.output().count) * volumes;
    }
    for (std::size_t i = 0; i < ops_.size(); ++i) {
      for (const std::size_t t : ops_[i].inputs) ops_[t].readers.push_back(i);
    }
    for (const Half& h : schedule.halves) ++ops_[h.op + 1].pending;
    if (plan.correction_bytes() * volumes > most_prepared) return;
    for (std::size_t i = 0; i < ops_.size(); ++i) make(i);
  }

  std::size_t run() {
    std::size_t received = 0;
    for (const Message& m : schedule_.messages) {
      const bool mine = m.from == party_;
      const std::size_t buffer = m.bytes > received && !mine ? m.bytes - received : mine ? m.bytes : 0;
      take(buffer);
      for (const std::size_t h : m.halves) {
        const std::size_t op = schedule_.halves[h].op + 1;
        make(op);
        if (mine) {
          for (const std::size_t t : ops_[op].inputs) compute(t);
        }
        if (--ops_[op].pending == 0 && ops_[op].computed) held_ -= ops_[op].working;
      }
      release();
      if (mine) {
        held_ -= buffer;
      } else {
        received = std::max(received, m.bytes);
      }
    }
    return peak_;
  }

 private:
  struct Op {
    std::size_t working = 0;
    std::size_t result = 0;
    std::vector<std::size_t> inputs;
    std::vector<std::size_t> readers;
    std::size_t pending = 0;
    bool early = false;
    bool made = false;
    bool computed = false;
    bool gone = false;
  };

  void take(std::size_t bytes) {
    held_ += bytes;
    peak_ = std::max(peak_, held_);
  }

  void make(std::size_t i) {
    Op& op = ops_[i];
    if (op.made) return;
    op.made = true;
    take(op.working + (op.early ? op.result : 0));
    peak_ = std::max(peak_, held_ + piece_);  // as it is stored, while it is opened
  }

  void compute(std::size_t i) {
    Op& op = ops_[i];
    if (op.computed) return;
    make(i);
    for (const std::size_t t : op.inputs) compute(t);
    op.computed = true;
    if (!op.early) take(op.result);
    if (op.pending == 0) held_ -= op.working;
  }

  void release() {
    const auto is_done = [&](std::size_t i) { return ops_[i].pending == 0 && ops_[i].computed; };
    for (Op& op : ops_) {
      if (op.gone || op.readers.empty() || op.pending > 0 || !op.computed) continue;
      if (!std::all_of(op.readers.begin(), op.readers.end(), is_done)) continue;
      op.gone = true;
      held_ -= op.result;
    }
  }

  const Schedule& schedule_;
  Party party_;
  std::vector<Op> ops_;  // the input, the program's ops, the opening
  std::size_t piece_ = 0;  // of a bundle
  std::size_t held_ = 0;
  std::size_t peak_ = 0;
};

}  // namespace

bool linear_maps_alone_read_the_input(const Program& program, const Plan& plan) {
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    for (const std::size_t t : program.inputs_of(i)) {
      if (t == 0 && !std::holds_alternative<LinearPlan>(plan.ops[i])) return false;
    }
  }
  return true;
}

// The corrections twice, once as they are written; the results of all linear maps until then; and of the largest demand what
// both parties have of it. Of a convolution the kernel is there, and b.
std::uint64_t predicted_dealing_memory(const Plan& plan) {
  std::uint64_t linear = 0;
  std::uint64_t largest = 0;
  for (const Demand& demand : plan.demands) {
    std::uint64_t both = std::visit(ShareSize{Party::server}, demand) + std::visit(ShareSize{Party::client}, demand);
    if (const auto* d = std::get_if<LinearDemand>(&demand)) {
      linear += ring_bytes(d->outputs);
      both = ring_bytes(2 * d->outputs + (d->conv ? d->inputs + d->rows() * d->columns() : 0));
    }
    largest = std::max(largest, both);
  }
  return 2 * plan.correction_bytes() + linear + largest;
}

RunMemory predicted_memory(const Program& program, const Plan& plan, const Schedule& schedule) {
  return {Simulation(program, plan, schedule, Party::server).run(), Simulation(program, plan, schedule, Party::client).run()};
}

}  // namespace smpc
