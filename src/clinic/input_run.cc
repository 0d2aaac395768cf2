#include "smpc/clinic/input_run.h"

#include "judged.h"
#include "run_outcome.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {

ScanOutcome infer_inputs(ClientService& client, const Identity& identity, const Inputs& inputs, const std::string& source) {
  const ClientCost before = client.cost();
  const Program& program = judging_program(client);
  const std::size_t samples = judged(client, "input", [&] { return inputs.samples(program); });
  std::vector<RingVector> quantised;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::string name = samples == 1 ? source : source + ", sample " + std::to_string(i);
    quantised.push_back(judged(client, "input", [&] { return quantise(program, inputs.sample(program, i), name); }));
  }
  ScanOutcome out = run_outcome(client, identity, program, before, client.infer(quantised));
  out.scan = source;
  for (std::size_t i = 0; i < samples; ++i) out.volumes.push_back(i);
  return out;
}

}  // namespace smpc
