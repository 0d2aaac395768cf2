#include "smpc/runtime/two_party.h"

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

namespace smpc {

PartyRun::PartyRun(const Program& program, const Schedule& schedule, Party party)
    : program_(program), schedule_(schedule), party_(party) {}
PartyRun::PartyRun(PartyRun&&) noexcept = default;
PartyRun::~PartyRun() = default;

PartyRun PartyRun::server(const Program& program, const Plan& plan, const Schedule& schedule,
                          CorrelationSource& source, const Weights& weights) {
  check_weights(program, weights);
  PartyRun run(program, schedule, Party::server);
  // Zero, which takes no memory where linear maps alone read it.
  bool linear = true;
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    for (const std::size_t t : program.inputs_of(i)) linear &= t != 0 || std::holds_alternative<LinearPlan>(plan.ops[i]);
  }
  run.add_ops(plan, source, &weights, RingVector(linear ? 0 : program.input().count * schedule.volumes));
  return run;
}

PartyRun PartyRun::client(const Program& program, const Plan& plan, const Schedule& schedule,
                          CorrelationSource& source, RingVector input) {
  SMPC_CHECK(input.size() == program.input().count * schedule.volumes);
  PartyRun run(program, schedule, Party::client);
  run.add_ops(plan, source, nullptr, std::move(input));
  return run;
}

void PartyRun::add_ops(const Plan& plan, CorrelationSource& source, const Weights* weights, RingVector input) {
  SMPC_CHECK(source.party() == party_ && source.volumes() == schedule_.volumes);
  ops_.push_back(std::make_unique<InputOp>(std::move(input)));
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    std::vector<PartyOp*> in;
    for (const std::size_t t : program_.inputs_of(i)) in.push_back(ops_[t].get());
    const OpPlan& op = plan.ops[i];
    if (const auto* linear = std::get_if<LinearPlan>(&op)) {
      const auto& d = std::get<LinearDemand>(plan.demands[linear->demand]);
      ops_.push_back(weights != nullptr
                         ? linear_server(d, linear->demand, *in[0], source, (*weights)[linear->weights])
                         : linear_client(d, linear->demand, *in[0], source));
    } else if (const auto* shift = std::get_if<ShiftPlan>(&op)) {
      ops_.push_back(shift_op(*shift, *in[0], source));
    } else if (const auto* arg_max = std::get_if<ArgMaxPlan>(&op)) {
      ops_.push_back(arg_max_op(*arg_max, program_.tensors[program_.inputs_of(i)[0]].ring, *in[0], source));
    } else if (const auto* product = std::get_if<ProductPlan>(&op)) {
      const auto& d = std::get<ProductDemand>(plan.demands[product->demand]);
      ops_.push_back(product_op(d, product->demand, *in[0], *in[1], source));
    } else if (const auto* step = std::get_if<StepPlan>(&op)) {
      ops_.push_back(step_op(*step, *in[0], source));
    } else if (const auto* lookup = std::get_if<LookupPlan>(&op)) {
      const auto& d = std::get<LookupDemand>(plan.demands[lookup->demand]);
      ops_.push_back(lookup_op(d, lookup->demand, std::get<LookupOp>(program_.ops[i].kind), *in[0], source));
    } else {
      Added added{party_ == Party::server, {}};
      const bool has_bias = std::holds_alternative<BiasOp>(program_.ops[i].kind);
      if (has_bias && weights != nullptr) added.bias = (*weights)[std::get<LocalPlan>(op).weights].bias;
      ops_.push_back(local_op(program_.ops[i].kind, std::move(in), added, program_.tensors[i + 1], schedule_.volumes));
    }
  }
  if (program_.reveal == Reveal::logits) {
    const TensorType& out = program_.output();
    ops_.push_back(reveal_op(out.count * schedule_.volumes, out.ring, party_, *ops_.back()));
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
  }
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
      }
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
