// Suite masked: what is opened is uniform, whatever x is, and so is what each party sends.
#include <gtest/gtest.h>

#include "protocol/run_shift.h"
#include "protocol/uniform.h"
#include "smpc/protocol/linear.h"
#include "support/thinned.h"

namespace smpc {
namespace {

using testing::byte_ring;
using testing::count;
using testing::expect_even;
using testing::expect_fair;
using testing::field_bytes;


void expect_uniform(const std::vector<testing::Sent>& sent) {
  ASSERT_GE(sent.size(), 2U);
  for (std::size_t h = 0; h + 1 < sent.size(); h += 2) {
    const Bytes& a = sent[h].bytes;
    const Bytes& b = sent[h + 1].bytes;
    ASSERT_EQ(sent[h].half.slot, sent[h + 1].half.slot);
    ASSERT_EQ(a.size(), b.size());
    const std::string slot = "slot " + std::to_string(sent[h].half.slot);
    Bytes joined(a.size());
    if (sent[h].half.slot == 0) {
      for (std::size_t i = 0; i < a.size(); ++i) {
        joined[i] = static_cast<std::byte>(std::to_integer<unsigned>(a[i]) + std::to_integer<unsigned>(b[i]));
      }
      for (const Bytes& values : {a, b, joined}) expect_even(values, slot);
      continue;
    }
    for (std::size_t i = 0; i < a.size(); ++i) joined[i] = a[i] ^ b[i];
    for (std::size_t at = 0; at + field_bytes <= a.size(); at += field_bytes) {
      for (const Bytes& fields : {a, b, joined}) expect_fair(ByteView(fields).subspan(at, field_bytes), slot);
      // Nor do two opened bits depend on each other.
      for (std::size_t other = 0; other < at; other += field_bytes) {
        Bytes both(field_bytes);
        for (std::size_t i = 0; i < field_bytes; ++i) both[i] = joined[at + i] ^ joined[other + i];
        expect_fair(both, slot + ", two fields");
      }
    }
  }
}

// In shares that hide nothing: what hides x is the mask alone.
void check_uniform(ShiftPlan::What what, unsigned f, std::int64_t x) {
  SCOPED_TRACE(::testing::Message() << "x = " << x << ", shift " << f);
  const RingVector x0(count, byte_ring.from_signed(x));
  const RingVector x1(count);
  std::vector<testing::Sent> sent;
  testing::run(testing::plan_of(Suite::masked, what, count, byte_ring, Ring{12}, f), x0, x1, &sent);
  expect_uniform(sent);
}

// After a linear map whose result is its bias x, whatever comes in: zero weights, a zero volume. The mask comes with it.
void check_after_a_linear_map(unsigned f, std::int64_t x) {
  SCOPED_TRACE(::testing::Message() << "x = " << x << ", shift " << f);
  Program p;
  p.suite = Suite::masked;
  p.inputs = {{"x", {1}, -1, 1}};
  p.tensors = {{1, 10, byte_ring}, {count, 20, byte_ring}, {count, 20, Ring{12}}};
  p.ops = {{"linear", LinearOp{1, count}}, {"relu", ReluOp{f}}};
  const Plan plan = correlation_plan(p);
  LinearWeights w;
  w.matrix = WeightMatrix(WeightMatrix::Narrow(count));
  w.bias.assign(count, x);
  const Weights weights{std::move(w)};
  LocalSources sources = deal_locally(plan, weights, 1);
  const std::size_t demand = std::get<LinearPlan>(plan.ops[0]).demand;
  const auto& d = std::get<LinearDemand>(plan.demands[demand]);
  ASSERT_TRUE(d.opening);
  InputOp in0({});
  InputOp in1(RingVector(1));
  const auto server = linear_server(d, demand, in0, *sources.server, weights[0]);
  const auto client = linear_client(d, demand, in1, *sources.client);
  Bytes opened;
  FieldWriter out(opened);
  client->produce(0, out);
  FieldReader in(opened);
  server->consume(0, in);
  std::vector<testing::Sent> sent;
  const auto result = testing::exchange(std::get<ShiftPlan>(plan.ops[1]), *server, *client, sources, &sent);
  EXPECT_EQ(result.output, RingVector(count, x > 0 ? static_cast<std::uint64_t>(x) >> f : 0));
  expect_uniform(sent);
}

TEST(MaskedPrivacy, WhatAReluOpensAfterALinearMapIsUniformForEveryKindOfValue) {
  constexpr unsigned shifts[] = {0, 3, 7};
  for (std::size_t i = 0; i < std::size(shifts); i += testing::one_in(2)) {
    for (const std::int64_t x : {-128, -1, 0, 1, 100, 127}) check_after_a_linear_map(shifts[i], x);
  }
}

TEST(MaskedPrivacy, WhatAReluOpensIsUniformForEveryKindOfValue) {
  for (const unsigned f : {0U, 3U, 7U}) {
    for (const std::int64_t x : {-128, -1, 0, 1, 100, 127}) check_uniform(ShiftPlan::What::relu, f, x);
  }
}

TEST(MaskedPrivacy, WhatATruncationOpensIsUniformForEveryKindOfValue) {
  for (const unsigned f : {0U, 3U, 6U}) {
    for (const std::int64_t x : {-64, -1, 0, 1, 63}) check_uniform(ShiftPlan::What::truncate, f, x);
  }
}

}  // namespace
}  // namespace smpc
