// A run takes the memory that is told beforehand: of every architecture, each party's largest heap while it runs.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "smpc/compiler/compile.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/memory.h"
#include "smpc/runtime/two_party.h"
#include "support/architectures.h"
#include "support/heap.h"

namespace smpc::testing {

void PrintTo(const Architecture& a, std::ostream* out) { *out << a.name; }

namespace {

class Memory : public ::testing::TestWithParam<Architecture> {};

// What a thread allocates until `run` returns, at most.
template <class Run>
std::size_t largest_heap(Run run) {
  const HeapWatch watch;
  run();
  return watch.peak();
}

TEST_P(Memory, IsThePredictedOneWithinAQuarter) {
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  options.input_range = GetParam().range;
  options.mixed_scales = GetParam().mixed_scales;
  const Compiled c = compile(build_network(GetParam().make()), options, {});
  const Plan plan = correlation_plan(c.program);
  const Schedule schedule = make_schedule(c.program, plan, 1);
  const RunMemory predicted = predicted_memory(c.program, plan, schedule);
  LocalSources dealt = deal_locally(plan, c.weights, 1);
  const auto ends = memory_channels("urn:smpc:server:local", "urn:smpc:client:local");
  RunMemory measured;
  std::jthread server([&] {
    measured.server = largest_heap([&] {
      PartyRun::server(c.program, plan, schedule, *dealt.server, c.weights).execute(*ends.first);
    });
  });
  measured.client = largest_heap([&] {
    RingVector zeros(c.program.input().count);
    PartyRun run = PartyRun::client(c.program, plan, schedule, *dealt.client, std::move(zeros));
    run.execute(*ends.second);
    run.result();
  });
  server.join();
  measured.client += plan.correction_bytes();  // in the source, before
  std::cout << GetParam().name << ": server " << measured.server << " bytes, predicted " << predicted.server << "; client "
            << measured.client << ", predicted " << predicted.client << "\n";
  const auto is_near = [](std::size_t found, std::size_t told) {
    return 4 * found <= 5 * told && 4 * found >= 3 * told;
  };
  EXPECT_TRUE(is_near(measured.server, predicted.server));
  EXPECT_TRUE(is_near(measured.client, predicted.client));
}

INSTANTIATE_TEST_SUITE_P(, Memory, ::testing::ValuesIn(architectures), [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace smpc::testing
