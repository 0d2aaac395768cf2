// The program's canonical bytes: what is read is written as the same bytes, and all that follows from a program can be
// computed, without overflow and without taking memory for it.
#include "fuzz/fuzz.h"
#include "smpc/base/wide.h"
#include "smpc/correlation/masks.h"
#include "smpc/runtime/explain.h"
#include "smpc/runtime/memory.h"
#include "smpc/runtime/schedule.h"

namespace smpc::fuzz {
namespace {

void check_cost(const Program& program) {
  const Plan plan = correlation_plan(program);
  SMPC_CHECK(plan.ops.size() == program.ops.size());
  const std::size_t masked = MaskedLayout(plan).bytes();
  for (const LinearDemand& d : MaskedLayout(plan).linears) SMPC_CHECK(masked / d.rows() >= d.columns() / 8);
  const Cost one = predicted_cost(make_schedule(program, plan, 1));
  const Schedule together = make_schedule(program, plan, 64);
  const Cost many = predicted_cost(together);
  SMPC_CHECK(one.messages == many.messages && one.messages > 0);
  SMPC_CHECK(one.client_to_server <= many.client_to_server && one.server_to_client <= many.server_to_client);
  const Explanation e = explain(program);
  SMPC_CHECK(e.messages == one.messages && e.client_to_server == one.client_to_server);
  SMPC_CHECK(e.masked_weight_bytes == masked);
  const RunMemory memory = predicted_memory(program, plan, together);
  SMPC_CHECK(e.memory.server <= memory.server && e.memory.client <= memory.client);
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  const ByteView bytes = fuzz::bytes_of(data, size);
  Program program;
  if (fuzz::refuses([&] { program = decode_program(bytes); })) return 0;
  const Bytes again = encode(program);
  SMPC_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  if (program.grid) {
    const auto& shape = program.grid->shape;
    SMPC_CHECK(static_cast<u128>(shape[0]) * shape[1] * shape[2] == program.whole_input());
  }
  fuzz::check_cost(program);
  return 0;
}
