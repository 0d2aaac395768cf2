#include "smpc/clinic/input_run.h"

#include "run_outcome.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {

ScanOutcome infer_inputs(ClientService& client, const Identity& identity, const Inputs& inputs, const std::string& source) {
  const ClientCost before = client.cost();
  const Program& program = client.connect();
  const std::size_t samples = inputs.samples(program);
  std::vector<RingVector> quantised;
  for (std::size_t i = 0; i < samples; ++i) {
    const std::string name = samples == 1 ? source : source + ", sample " + std::to_string(i);
    quantised.push_back(quantise(program, inputs.sample(program, i), name));
  }
  ScanOutcome out = run_outcome(client, identity, program, before, client.infer(quantised));
  out.scan = source;
  for (std::size_t i = 0; i < samples; ++i) out.volumes.push_back(i);
  return out;
}

}  // namespace smpc
