// A run takes the memory that is told beforehand: of every architecture, each party's largest heap while it runs.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "smpc/base/error.h"
#include "smpc/compiler/compile.h"
#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/crypto/sealed_pieces.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/interpreter.h"
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

// Correlations for one volume, the client's sealed as on its disk.
class Dealt {
 public:
  Dealt(const Plan& plan, const Weights& weights) : plan_(plan), size_(plan.correction_bytes()) {
    const Key mask = random_key();
    Bytes masked;
    write_masked_weights(plan, weights, mask, [&](ByteView row) { masked.insert(masked.end(), row.begin(), row.end()); });
    std::vector<ClientMaterial> material{{seeds_.client, make_corrections(plan, mask, {&seeds_, 1}).front()}};
    finish_corrections(plan, masked, material);
    PieceSealer(key_, size_, {}, [&](ByteView piece) { sealed_.emplace_back(piece.begin(), piece.end()); })
        .append(material.front().corrections);
  }
  std::unique_ptr<CorrelationSource> server() const { return server_source(plan_, {seeds_.server}); }
  std::unique_ptr<CorrelationSource> client() const {
    const auto reader = std::make_shared<PieceReader>(key_, size_, ByteView{}, [&](std::size_t i) { return sealed_[i]; });
    std::vector<StoredMaterial> bundle{{seeds_.client, [reader](std::size_t from, std::span<std::byte> to) { SMPC_CHECK(reader->read(from, to)); }}};
    return client_source(plan_, std::move(bundle));
  }

 private:
  const Plan& plan_;
  std::size_t size_;
  Key key_ = random_key();
  BundleSeeds seeds_{random_key(), random_key()};
  std::vector<Bytes> sealed_;
};

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
  const Dealt dealt(plan, c.weights);
  const auto ends = memory_channels("urn:smpc:server:local", "urn:smpc:client:local");
  RunMemory measured;
  std::jthread server([&] {
    measured.server = largest_heap([&] {
      const auto source = dealt.server();
      PartyRun::server(c.program, plan, schedule, *source, c.weights).execute(*ends.first);
    });
  });
  measured.client = largest_heap([&] {
    RingVector zeros(c.program.input().count);
    const auto source = dealt.client();
    PartyRun run = PartyRun::client(c.program, plan, schedule, *source, std::move(zeros));
    run.execute(*ends.second);
    run.result();
  });
  server.join();
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
