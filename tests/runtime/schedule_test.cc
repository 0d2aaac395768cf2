#include "smpc/runtime/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "smpc/net/channel.h"
#include "support/two_party.h"

namespace smpc {
namespace {

// The fMRI MLP as a program, without its weights.
Program fmri_mlp(unsigned bits, unsigned shift, Reveal reveal, Suite suite = Suite::cryptflow2) {
  Program p;
  p.suite = suite;
  p.reveal = reveal;
  p.inputs = {{"x", {45, 54, 45}, -32, 32}};
  const std::size_t widths[] = {109350, 200, 200, 200, 58};
  p.tensors.push_back({widths[0], 12, Ring{bits}});
  for (int layer = 0; layer < 4; ++layer) {
    const std::size_t in = widths[layer];
    const std::size_t out = widths[layer + 1];
    p.ops.push_back({"linear", LinearOp{in, out}});
    p.tensors.push_back({out, 12 + static_cast<int>(shift), Ring{bits}});
    if (layer == 3) break;
    p.ops.push_back({"relu", ReluOp{shift}});
    p.tensors.push_back({out, 12, Ring{bits}});
  }
  p.labels.assign(58, "c");
  if (reveal == Reveal::label) {
    p.ops.push_back({"argmax", ArgMaxOp{}});
    p.tensors.push_back({1, 0, Ring{6}});
  }
  return p;
}

TEST(Schedule, TheFmriMlpTakesFourteenMessages) {
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    const Program program = fmri_mlp(44, 15, Reveal::logits, suite);
    const Plan plan = correlation_plan(program);
    const Cost cost = predicted_cost(make_schedule(program, plan, 1));
    EXPECT_EQ(cost.messages, 14U);
    EXPECT_EQ(predicted_cost(make_schedule(program, plan, 20)).messages, 14U);
    EXPECT_LE(cost.client_to_server + cost.server_to_client, 650000U);
    EXPECT_LE(plan.correction_bytes() + 256, 40000U);
  }
}

TEST(Schedule, MessagesAlternateAndTheClientSpeaksFirst) {
  for (const Reveal reveal : {Reveal::logits, Reveal::label}) {
    const Program program = fmri_mlp(50, 18, reveal);
    const Schedule s = make_schedule(program, correlation_plan(program), 1);
    std::vector<bool> sent(s.halves.size());
    for (std::size_t i = 0; i < s.messages.size(); ++i) {
      EXPECT_EQ(s.messages[i].from, i % 2 == 0 ? Party::client : Party::server);
      for (const std::size_t h : s.messages[i].halves) {
        EXPECT_FALSE(sent[h]);
        for (std::size_t before = 0; before < s.halves.size(); ++before) {
          if (static_cast<int>(before) <= s.halves[h].needs && s.halves[before].from != s.messages[i].from) {
            EXPECT_TRUE(sent[before]) << "half " << h << " leaves before half " << before << " has come";
          }
        }
      }
      for (const std::size_t h : s.messages[i].halves) sent[h] = true;
    }
    EXPECT_EQ(std::count(sent.begin(), sent.end(), false), 0);
    EXPECT_EQ(s.messages.back().from, Party::server);
  }
}

TEST(Schedule, TheOpInProgressMovesOnToTheLast) {
  const Program program = fmri_mlp(44, 15, Reveal::logits);
  const Plan plan = correlation_plan(program);
  const Schedule s = make_schedule(program, plan, 1);
  EXPECT_EQ(op_in_progress(s, 0), 0U);  // the first linear map's opening
  std::size_t before = 0;
  for (std::size_t passed = 1; passed < s.messages.size(); ++passed) {
    const std::size_t now = op_in_progress(s, passed);
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_EQ(before, program.ops.size());  // the last message opens the result
  EXPECT_EQ(op_in_progress(s, s.messages.size()), program.ops.size());
}

TEST(Schedule, CostGrowsByTheSameForEveryVolumeWhereFieldsAreWholeBytes) {
  const Program program = fmri_mlp(44, 15, Reveal::logits);
  const Plan plan = correlation_plan(program);
  const auto bytes = [&](std::size_t volumes) {
    const Cost c = predicted_cost(make_schedule(program, plan, volumes));
    return c.client_to_server + c.server_to_client - c.messages * frame_header_bytes;
  };
  EXPECT_EQ(bytes(20), 20 * bytes(1));
}

// Of a program in which the client has nothing to say, the client speaks first all the same: that is when it spends.
TEST(Schedule, TheClientSpeaksFirstEvenWithNothingToSay) {
  Program p;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {2}, -1, 1}};
  p.tensors = {{2, 0, Ring{9}}, {2, 0, Ring{9}}};
  p.ops = {{"bias", BiasOp{}}};
  p.outputs = {{"y", {2}}};
  p.labels = {"a", "b"};
  LinearWeights w;
  w.bias = {5, -7};
  EXPECT_EQ(decode_program(encode(p)), p);
  const Schedule s = make_schedule(p, correlation_plan(p), 1);
  ASSERT_EQ(s.messages.size(), 2U);
  EXPECT_EQ(s.messages[0].from, Party::client);
  EXPECT_EQ(s.messages[0].bytes, 0U);
  EXPECT_EQ(testing::run_two_party(p, {w}, RingVector{1, 2}, 1).output, (RingVector{6, Ring{9}.from_signed(-5)}));
}

}  // namespace
}  // namespace smpc
