// One shift op between two parties in one thread, half by half.
#pragma once

#include <gtest/gtest.h>

#include "smpc/protocol/shift.h"
#include "smpc/runtime/local_run.h"

namespace smpc::testing {

struct Outcome {
  BitVector sign;
  RingVector output;
};

inline Plan plan_of(Suite suite, ShiftPlan::What what, std::size_t count, Ring in, Ring out, unsigned shift) {
  Program p;
  p.suite = suite;
  p.inputs = {{"x", {count}, -1, 1}};
  p.tensors = {{count, 20, in}, {count, 20, out}};
  OpKind kind = what == ShiftPlan::What::relu ? OpKind(ReluOp{shift}) : OpKind(TruncateOp{shift});
  p.ops = {{"op", kind}};
  return correlation_plan(p);
}

struct Sent {
  Half half;
  Bytes bytes;
};

// Exchanges halves in order until both are done: whatever a half needs stands before it. `all`: what was sent.
inline void exchange_halves(const HalfList& list, PartyOp& server, PartyOp& client, std::vector<Sent>* all) {
  // Both halves of a level are computed before either is received, as with messages that cross.
  std::vector<Sent> crossing;
  const auto deliver = [&] {
    for (Sent& s : crossing) {
      FieldReader in(s.bytes);
      (s.half.from == Party::server ? client : server).consume(s.half.slot, in);
      EXPECT_EQ(in.left(), 0U);
    }
    crossing.clear();
  };
  for (const Half& h : list.halves()) {
    if (!crossing.empty() && h.slot != crossing.back().half.slot) deliver();
    Sent s{h, {}};
    FieldWriter out(s.bytes);
    (h.from == Party::server ? server : client).produce(h.slot, out);
    EXPECT_EQ(s.bytes.size(), h.bytes);
    if (all != nullptr) all->push_back(s);
    crossing.push_back(std::move(s));
  }
  deliver();
}

inline Outcome exchange(const ShiftPlan& shift, PartyOp& in0, PartyOp& in1, LocalSources& sources,
                        std::vector<Sent>* all = nullptr) {
  auto server = shift_op(shift, in0, *sources.server);
  auto client = shift_op(shift, in1, *sources.client);
  HalfList list;
  declare_shift(shift, 1, {}, 0, list);
  exchange_halves(list, *server, *client, all);
  Outcome r;
  if (shift.what == ShiftPlan::What::relu) r.sign = server->sign() ^ client->sign();
  r.output = server->output();
  for (std::size_t i = 0; i < r.output.size(); ++i) {
    r.output[i] = shift.out.reduce(r.output[i] + client->output()[i]);
  }
  return r;
}

inline Outcome run(const Plan& plan, const RingVector& x0, const RingVector& x1, std::vector<Sent>* all = nullptr) {
  auto sources = deal_locally(plan, {}, 1);
  InputOp in0(x0);
  InputOp in1(x1);
  return exchange(std::get<ShiftPlan>(plan.ops[0]), in0, in1, sources, all);
}

}  // namespace smpc::testing
