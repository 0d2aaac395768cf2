#include "smpc/runtime/two_party.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "smpc/base/declassify.h"
#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"
#include "smpc/protocol/arg_max.h"
#include "smpc/protocol/linear.h"
#include "smpc/protocol/local.h"
#include "smpc/protocol/lookup.h"
#include "smpc/protocol/product.h"
#include "smpc/protocol/reveal.h"
#include "smpc/protocol/shift.h"
#include "smpc/protocol/step.h"
#include "smpc/runtime/memory.h"

namespace smpc {

// An op that is made when it is first needed, and unmade when it no longer is.
class PartyRun::HeldOp final : public PartyOp {
 public:
  using Make = std::function<std::unique_ptr<PartyOp>()>;
  explicit HeldOp(Make make) : make_(std::move(make)) {}
  void produce(unsigned slot, FieldWriter& out) override { op().produce(slot, out); }
  void consume(unsigned slot, FieldReader& in) override { op().consume(slot, in); }
  const RingVector& output() override {
    computed_ = true;
    return op().output();
  }
  bool is_zero() const noexcept override { return op().is_zero(); }
  void make() const { op(); }
  bool computed() const noexcept { return computed_; }
  void release() noexcept {
    op_.reset();
    released_ = true;
  }

 private:
  PartyOp& op() const {
    SMPC_CHECK(!released_);
    if (!op_) op_ = std::exchange(make_, {})();
    return *op_;
  }

  mutable Make make_;
  mutable std::unique_ptr<PartyOp> op_;
  bool computed_ = false;
  bool released_ = false;
};

PartyRun::PartyRun(const Program& program, const Schedule& schedule, Party party)
    : program_(program), schedule_(schedule), party_(party) {}
PartyRun::PartyRun(PartyRun&&) noexcept = default;
PartyRun::~PartyRun() = default;

PartyRun PartyRun::server(const Program& program, const Plan& plan, const Schedule& schedule,
                          CorrelationSource& source, const Weights& weights) {
  check_weights(program, weights);
  PartyRun run(program, schedule, Party::server);
  const bool needless = linear_maps_alone_read_the_input(program, plan);
  run.add_ops(plan, source, &weights, RingVector(needless ? 0 : program.input().count * schedule.volumes));
  return run;
}

PartyRun PartyRun::client(const Program& program, const Plan& plan, const Schedule& schedule,
                          CorrelationSource& source, RingVector input) {
  SMPC_CHECK(input.size() == program.input().count * schedule.volumes);
  PartyRun run(program, schedule, Party::client);
  run.add_ops(plan, source, nullptr, std::move(input));
  return run;
}

namespace {

// What ops are made of; all of it outlives the run.
struct Making {
  const Program& program;
  const Plan& plan;
  const Schedule& schedule;
  CorrelationSource& source;
  const Weights* weights;  // the server's
  Party party;

  std::unique_ptr<PartyOp> make(std::size_t i, const std::vector<PartyOp*>& in) const {
    const OpPlan& op = plan.ops[i];
    const OpKind& kind = program.ops[i].kind;
    if (const auto* linear = std::get_if<LinearPlan>(&op)) {
      const auto& d = std::get<LinearDemand>(plan.demands[linear->demand]);
      return weights != nullptr ? linear_server(d, linear->demand, *in[0], source, (*weights)[linear->weights])
                                : linear_client(d, linear->demand, *in[0], source);
    }
    if (const auto* shift = std::get_if<ShiftPlan>(&op)) return shift_op(*shift, *in[0], source);
    if (const auto* arg_max = std::get_if<ArgMaxPlan>(&op)) {
      return arg_max_op(*arg_max, program.tensors[program.inputs_of(i)[0]].ring, *in[0], source);
    }
    if (const auto* product = std::get_if<ProductPlan>(&op)) {
      return product_op(std::get<ProductDemand>(plan.demands[product->demand]), product->demand, *in[0], *in[1], source);
    }
    if (const auto* step = std::get_if<StepPlan>(&op)) return step_op(*step, *in[0], source);
    if (const auto* lookup = std::get_if<LookupPlan>(&op)) {
      const auto& d = std::get<LookupDemand>(plan.demands[lookup->demand]);
      return lookup_op(d, lookup->demand, std::get<LookupOp>(kind), *in[0], source);
    }
    Added added{party == Party::server, {}};
    const bool has_bias = std::holds_alternative<BiasOp>(kind);
    if (has_bias && weights != nullptr) added.bias = (*weights)[std::get<LocalPlan>(op).weights].bias;
    return local_op(kind, in, added, program.tensors[i + 1], schedule.volumes);
  }
};

}  // namespace

void PartyRun::add_ops(const Plan& plan, CorrelationSource& source, const Weights* weights, RingVector input) {
  SMPC_CHECK(source.party() == party_ && source.volumes() == schedule_.volumes);
  const Making making{program_, plan, schedule_, source, weights, party_};
  const auto add = [&](HeldOp::Make make) { ops_.push_back(std::make_unique<HeldOp>(std::move(make))); };
  const auto held = std::make_shared<RingVector>(std::move(input));
  add([held] { return std::make_unique<InputOp>(std::move(*held)); });
  readers_.resize(plan.ops.size() + 2);
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    std::vector<PartyOp*> in;
    for (const std::size_t t : program_.inputs_of(i)) {
      in.push_back(ops_[t].get());
      readers_[t].push_back(i + 1);
    }
    add([making, i, in = std::move(in)] { return making.make(i, in); });
  }
  if (program_.reveal == Reveal::logits) {
    PartyOp& last = *ops_.back();
    readers_[plan.ops.size()].push_back(plan.ops.size() + 1);
    add([making, &last] {
      const TensorType& out = making.program.output();
      return reveal_op(out.count * making.schedule.volumes, out.ring, making.party, last);
    });
  }
  pending_.resize(ops_.size());
  for (const Half& h : schedule_.halves) ++pending_[h.op + 1];
  if (plan.correction_bytes() * schedule_.volumes > most_prepared) return;
  for (const auto& op : ops_) op->make();
}

void PartyRun::has_passed(std::size_t half) { --pending_[schedule_.halves[half].op + 1]; }

// What has said all it has to say, and whose every reader has its own result and nothing more to say either. The last op and
// the opening stay: they are the result.
void PartyRun::release() {
  if (keeps_) return;
  const auto is_done = [&](std::size_t op) { return pending_[op] == 0 && ops_[op]->computed(); };
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    if (readers_[i].empty() || !is_done(i)) continue;
    if (std::all_of(readers_[i].begin(), readers_[i].end(), is_done)) ops_[i]->release();
  }
}

Bytes PartyRun::produced(const Message& message) {
  Bytes buffer;
  buffer.reserve(message.bytes);
  FieldWriter out(buffer);
  for (const std::size_t h : message.halves) {
    const std::size_t before = buffer.size();
    ops_[schedule_.halves[h].op + 1]->produce(schedule_.halves[h].slot, out);
    SMPC_CHECK(buffer.size() - before == schedule_.halves[h].bytes);
    has_passed(h);
  }
  release();
  return buffer;
}

void PartyRun::prepare() {
  const Message& first = schedule_.messages.front();
  if (first.from == party_ && prepared_.empty()) prepared_ = produced(first);
}

void PartyRun::execute(Channel& channel, const Hooks& hooks) {
  Bytes buffer;
  std::size_t passed = 0;
  bool sent = false;
  for (const Message& m : schedule_.messages) {
    if (m.from == party_) {
      const Bytes message = prepared_.empty() ? produced(m) : std::exchange(prepared_, {});
      const bool spends = !std::exchange(sent, true) && hooks.before_first_send;
      if (spends && !sabotaged(Sabotage::spend_after_sending)) hooks.before_first_send();
      declassify(Declassified::message, message);
      channel.send(FrameType::data, message);
      if (spends && sabotaged(Sabotage::spend_after_sending)) hooks.before_first_send();
      if (hooks.after_message) hooks.after_message(++passed);
    } else {
      buffer.resize(m.bytes);
      channel.receive(FrameType::data, buffer);
      if (hooks.after_message) hooks.after_message(++passed);  // before what takes time
      ByteView left(buffer);
      for (const std::size_t h : m.halves) {
        FieldReader in(left.first(schedule_.halves[h].bytes));
        ops_[schedule_.halves[h].op + 1]->consume(schedule_.halves[h].slot, in);
        SMPC_CHECK(in.left() == 0);
        left = left.subspan(schedule_.halves[h].bytes);
        has_passed(h);
      }
      release();
    }
  }
}

const RingVector& PartyRun::result() {
  const RingVector& result = ops_.back()->output();
  if (party_ == Party::client) declassify(Declassified::result, std::as_bytes(std::span(result)));
  return result;
}

const RingVector& PartyRun::share(std::size_t tensor) {
  SMPC_CHECK(tensor < program_.tensors.size());
  return ops_[tensor]->output();
}

}  // namespace smpc
