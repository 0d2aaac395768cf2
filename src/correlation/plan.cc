#include "smpc/correlation/plan.h"

#include <map>
#include <tuple>

#include "smpc/base/error.h"

namespace smpc {
namespace {

struct CorrectionSize {
  std::size_t operator()(const OpeningDemand& d) const {
    const std::size_t out = packed_bytes(d.count, d.out.bits);
    const std::size_t top = packed_bytes(d.count, d.top.bits);
    const std::size_t r = d.carried ? 0 : packed_bytes(d.count, d.ring.bits);
    return corrected_thermometer_bits(d) * packed_bytes(d.count, 1) + r + out + top + (d.select ? 2 * out + top : 0);
  }
  std::size_t operator()(const OtDemand& d) const { return d.message_bits * packed_bytes(d.count, 1); }
  std::size_t operator()(const AndDemand& d) const { return d.products.size() * packed_bytes(d.count, 1); }
  std::size_t operator()(const SharedBitDemand& d) const { return packed_bytes(d.count, d.ring.bits); }
  std::size_t operator()(const BitProductDemand& d) const { return 2 * packed_bytes(d.count, d.ring.bits); }
  std::size_t operator()(const PrivateBitsDemand& d) const { return packed_bytes(d.count, d.ring.bits); }
  std::size_t operator()(const LinearDemand& d) const { return packed_bytes(d.outputs, d.ring.bits); }
  std::size_t operator()(const ProductDemand& d) const { return packed_bytes(d.shape.outputs(), d.ring.bits); }
  std::size_t operator()(const LookupDemand& d) const { return packed_bytes(d.entries(), d.ring.bits); }
};

class Planner {
 public:
  Plan run(const Program& program) {
    suite_ = program.suite;
    std::vector<std::size_t> readers(program.tensors.size());
    for (std::size_t i = 0; i < program.ops.size(); ++i) {
      for (const std::size_t t : program.inputs_of(i)) ++readers[t];
    }
    for (std::size_t i = 0; i < program.ops.size(); ++i) {
      const std::size_t from = program.inputs_of(i).front();
      plan_.ops.push_back(op(program.ops[i].kind, program.tensors[from], program.tensors[i + 1]));
      if (weight_counts(program, i).bias > 0) ++weights_;
      if (from > 0 && readers[from] == 1) carry_mask(plan_.ops[from - 1], plan_.ops[i]);
    }
    plan_.offsets.push_back(0);
    for (const Demand& d : plan_.demands) plan_.offsets.push_back(plan_.offsets.back() + correction_bytes(d));
    return std::move(plan_);
  }

 private:
  std::size_t demand(Demand d) {
    plan_.demands.push_back(std::move(d));
    return plan_.demands.size() - 1;
  }

  // What a linear map hands to a masked opening, and to nothing else, can come with the mask.
  void carry_mask(const OpPlan& from, const OpPlan& to) {
    const auto* linear = std::get_if<LinearPlan>(&from);
    const auto* step = std::get_if<StepPlan>(&to);
    const auto* shift = step != nullptr ? &step->compare : std::get_if<ShiftPlan>(&to);
    if (linear == nullptr || shift == nullptr || !shift->opening) return;
    std::get<LinearDemand>(plan_.demands[linear->demand]).opening = shift->opening;
    std::get<OpeningDemand>(plan_.demands[*shift->opening]).carried = true;
  }

  OpPlan op(const OpKind& kind, const TensorType& in, const TensorType& out) {
    if (std::holds_alternative<LinearOp>(kind) || std::holds_alternative<ConvOp>(kind)) {
      LinearDemand d{linears_, in.count, out.count, out.ring};
      if (const auto* conv = std::get_if<ConvOp>(&kind)) d.conv = conv->shape;
      d.biases_before = weights_ - linears_;
      return LinearPlan{linears_++, weights_, demand(std::move(d))};
    }
    if (const auto* relu = std::get_if<ReluOp>(&kind)) {
      return shift(ShiftPlan::What::relu, in.count, in.ring, out.ring, relu->shift);
    }
    if (const auto* cut = std::get_if<TruncateOp>(&kind)) {
      return shift(ShiftPlan::What::truncate, in.count, in.ring, out.ring, cut->shift);
    }
    if (std::holds_alternative<ArgMaxOp>(kind)) return arg_max(in);
    if (const auto* product = std::get_if<ProductOp>(&kind)) return ProductPlan{demand(ProductDemand{*product, out.ring})};
    if (std::holds_alternative<StepOp>(kind)) {
      ShiftPlan compare = shift(ShiftPlan::What::sign, in.count, in.ring, out.ring, 0);
      return StepPlan{std::move(compare), demand(SharedBitDemand{out.count, out.ring})};
    }
    if (const auto* lookup = std::get_if<LookupOp>(&kind)) return LookupPlan{demand(LookupDemand{in.count, lookup->bits, out.ring})};
    return LocalPlan{weights_};
  }

  ShiftPlan shift(ShiftPlan::What what, std::size_t count, Ring in, Ring out, unsigned by) {
    ShiftPlan p;
    p.what = what;
    p.count = count;
    p.in = in;
    p.out = out;
    p.shift = by;
    p.suite = suite_;
    if (suite_ == Suite::masked) {
      open_masked(p);
      return p;
    }
    if (what != ShiftPlan::What::truncate || by > 0) compare(p);
    if (what == ShiftPlan::What::sign) return p;
    if (by > 0) p.carry = demand(SharedBitDemand{count, out});
    if (out.bits > in.bits - by) {
      p.wrap_ring = Ring{out.bits - (in.bits - by)};
      p.wrap = demand(PrivateBitsDemand{count, p.wrap_ring});
    }
    if (what == ShiftPlan::What::relu) p.product = demand(BitProductDemand{count, out});
    return p;
  }

  // What a truncation opens is never negative, so it needs no sign; a shift by all bits but the sign leaves 0, so a
  // ReLU needs the sign alone, for whoever selects with it.
  void open_masked(ShiftPlan& p) {
    const bool relu = p.what == ShiftPlan::What::relu;
    const bool truncate = p.what == ShiftPlan::What::truncate;
    const bool sign_only = !truncate && (!relu || p.shift + 1 == p.in.bits);
    if (truncate && p.shift == 0 && p.out.bits <= p.in.bits) return;
    OpeningDemand d{p.count, p.in, {}};
    if (!sign_only) {
      d.shift = p.shift;
      d.out = p.out;
      if (p.out.bits > p.in.bits - p.shift) d.top = Ring{p.out.bits - (p.in.bits - p.shift)};
      d.select = relu;
    }
    if (!truncate || p.shift > 0) {
      p.comparison = layout(p.in.bits - 1, sign_only ? 0 : p.shift, truncate);
      for (const ComparisonNode& node : p.comparison->nodes) {
        if (node.level == 0) d.digits.push_back({node.first_bit, node.bits});
      }
      if (!truncate) d.digits.push_back({p.in.bits - 1, 1});
    }
    p.opening = demand(std::move(d));
    if (!p.comparison) return;
    for (const ComparisonNode& node : p.comparison->nodes) {
      p.node_demands.push_back(node.level == 0 ? *p.opening : and_of(p, node));
    }
    if (!sign_only && p.shift > 0) p.low_bit = demand(SharedBitDemand{p.count, p.out});
  }

  std::size_t and_of(const ShiftPlan& p, const ComparisonNode& node) {
    return demand(AndDemand{p.count, node.and_inputs(), node.and_products()});
  }

  void compare(ShiftPlan& p) {
    p.comparison = layout(p.in.bits - 1, p.shift, p.what == ShiftPlan::What::truncate);
    for (const ComparisonNode& node : p.comparison->nodes) {
      p.node_demands.push_back(node.level == 0 ? demand(OtDemand{p.count, node.bits, node.eq ? 2U : 1U})
                                               : and_of(p, node));
    }
  }

  ArgMaxPlan arg_max(const TensorType& in) {
    ArgMaxPlan p;
    unsigned index_bits_so_far = 0;
    for (std::size_t left = in.count; left > 1; left = (left + 1) / 2) {
      ArgMaxRound round;
      round.pairs = left / 2;
      round.odd = left % 2 == 1;
      const bool last = left == 2;
      round.compare = shift(last ? ShiftPlan::What::sign : ShiftPlan::What::relu, round.pairs, in.ring, in.ring, 0);
      if (index_bits_so_far > 0) {
        AndDemand d{round.pairs, index_bits_so_far + 1, {}};
        for (unsigned t = 1; t <= index_bits_so_far; ++t) d.products.push_back(1U | (1U << t));
        round.select_index = demand(std::move(d));
      }
      ++index_bits_so_far;
      p.rounds.push_back(std::move(round));
    }
    return p;
  }

  // Searched once for all ops alike.
  const ComparisonLayout& layout(unsigned width, unsigned low, bool low_only) {
    const auto [at, fresh] = layouts_.try_emplace({width, low, low_only});
    if (fresh) at->second = comparison_layout(suite_, width, low, low_only);
    return at->second;
  }

  Plan plan_;
  std::map<std::tuple<unsigned, unsigned, bool>, ComparisonLayout> layouts_;
  Suite suite_ = Suite::cryptflow2;
  std::size_t linears_ = 0;
  std::size_t weights_ = 0;
};

}  // namespace

std::size_t thermometer_bits(const OpeningDemand& d) noexcept {
  std::size_t bits = 0;
  for (const BitRange digit : d.digits) bits += (std::size_t{1} << digit.bits) - 1;
  return bits;
}

std::size_t corrected_thermometer_bits(const OpeningDemand& d) noexcept {
  std::size_t bits = thermometer_bits(d);
  for (const BitRange digit : d.digits) bits -= digit.bits;
  return bits;
}

std::size_t correction_bytes(const Demand& demand) { return std::visit(CorrectionSize{}, demand); }

Plan correlation_plan(const Program& program) { return Planner().run(program); }

}  // namespace smpc
