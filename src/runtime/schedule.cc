#include "smpc/runtime/schedule.h"

#include <algorithm>
#include <array>

#include "smpc/base/error.h"
#include "smpc/net/channel.h"
#include "smpc/protocol/arg_max.h"
#include "smpc/protocol/linear.h"
#include "smpc/protocol/lookup.h"
#include "smpc/protocol/product.h"
#include "smpc/protocol/reveal.h"
#include "smpc/protocol/shift.h"
#include "smpc/protocol/step.h"

namespace smpc {
namespace {

std::vector<Half> declare(const Program& program, const Plan& plan, std::size_t volumes) {
  HalfList list;
  std::vector<Known> known(1);  // of each tensor
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    list.begin_op(i);
    Known in;
    for (const std::size_t t : program.inputs_of(i)) {
      in = {std::max(in.server, known[t].server), std::max(in.client, known[t].client)};
    }
    const OpPlan& op = plan.ops[i];
    if (const auto* linear = std::get_if<LinearPlan>(&op)) {
      in = declare_linear(std::get<LinearDemand>(plan.demands[linear->demand]), volumes, in, list);
    } else if (const auto* shift = std::get_if<ShiftPlan>(&op)) {
      in = declare_shift(*shift, volumes, in, 0, list).output;
    } else if (const auto* arg_max = std::get_if<ArgMaxPlan>(&op)) {
      in = declare_arg_max(*arg_max, volumes, in, list);
    } else if (const auto* product = std::get_if<ProductPlan>(&op)) {
      in = declare_product(std::get<ProductDemand>(plan.demands[product->demand]), volumes, in, list);
    } else if (const auto* step = std::get_if<StepPlan>(&op)) {
      in = declare_step(*step, volumes, in, list);
    } else if (const auto* lookup = std::get_if<LookupPlan>(&op)) {
      in = declare_lookup(std::get<LookupDemand>(plan.demands[lookup->demand]), volumes, in, list);
    }
    known.push_back(in);
  }
  if (program.reveal == Reveal::logits) {
    list.begin_op(plan.ops.size());
    declare_reveal(program.output().count * volumes, program.output().ring, known.back(), list);
  }
  return list.halves();
}

}  // namespace

Schedule make_schedule(const Program& program, const Plan& plan, std::size_t volumes) {
  SMPC_CHECK(volumes > 0);
  Schedule s;
  s.volumes = volumes;
  s.halves = declare(program, plan, volumes);
  // Of each party, the first of its halves that has not been sent.
  const auto next_of = [&](Party p, std::size_t from) {
    while (from < s.halves.size() && s.halves[from].from != p) ++from;
    return from;
  };
  std::array<std::size_t, 2> next{next_of(Party::server, 0), next_of(Party::client, 0)};
  const auto next_half = [&](Party p) -> std::size_t& { return next[p == Party::client ? 1 : 0]; };
  Party turn = Party::client;
  for (int idle = 0; std::min(next[0], next[1]) < s.halves.size(); turn = other(turn)) {
    const auto received = static_cast<int>(next_half(other(turn)));
    Message m{turn, {}, 0};
    for (std::size_t& i = next_half(turn); i < s.halves.size() && s.halves[i].needs < received; i = next_of(turn, i + 1)) {
      m.halves.push_back(i);
      m.bytes += s.halves[i].bytes;
    }
    idle = m.halves.empty() ? idle + 1 : 0;
    SMPC_CHECK(idle < 2);
    // The client's first message is sent even when it is empty: with it bundles are spent.
    if (!m.halves.empty() || s.messages.empty()) s.messages.push_back(std::move(m));
  }
  return s;
}

Cost predicted_cost(const Schedule& schedule) {
  Cost cost;
  for (const Message& m : schedule.messages) {
    (m.from == Party::client ? cost.client_to_server : cost.server_to_client) += frame_header_bytes + m.bytes;
    ++cost.messages;
  }
  return cost;
}

std::size_t op_in_progress(const Schedule& schedule, std::size_t passed) {
  std::size_t first = schedule.halves.back().op;
  for (std::size_t m = passed; m < schedule.messages.size(); ++m) {
    for (const std::size_t h : schedule.messages[m].halves) first = std::min(first, schedule.halves[h].op);
  }
  return first;
}

std::vector<Cost> cost_by_op(const Program& program, const Schedule& schedule) {
  std::vector<Cost> out(program.ops.size() + 1);
  for (const Half& h : schedule.halves) {
    (h.from == Party::client ? out[h.op].client_to_server : out[h.op].server_to_client) += h.bytes;
  }
  return out;
}

}  // namespace smpc
