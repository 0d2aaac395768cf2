// One party's execution of a program over a channel.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "smpc/correlation/source.h"
#include "smpc/net/channel.h"
#include "smpc/program/weights.h"
#include "smpc/runtime/schedule.h"

namespace smpc {

class PartyRun {
 public:
  // program, plan, schedule, source and weights outlive the run. source.volumes() == schedule.volumes.
  // The server gives its weights, the client its volumes, quantised, back to back (input count * volumes).
  static PartyRun server(const Program& program, const Plan& plan, const Schedule& schedule, CorrelationSource& source,
                         const Weights& weights);
  static PartyRun client(const Program& program, const Plan& plan, const Schedule& schedule, CorrelationSource& source,
                         RingVector input);
  PartyRun(PartyRun&&) noexcept;
  ~PartyRun();

  struct Hooks {
    std::function<void()> before_first_send;         // durable spends belong here
    std::function<void(std::size_t)> after_message;  // how many messages have been sent or have arrived
  };
  // Keeps every share until the run is gone, for share(); before anything else. Otherwise an op's randomness is expanded when the
  // op is first needed, and it gives back all it has once everybody who reads its result has read it.
  void keep_shares() noexcept { keeps_ = true; }
  // Computes this party's first message ahead of execute(), where it depends on nothing of the peer's. Sends nothing.
  void prepare();
  // Sends and receives every message of the schedule, in order.
  void execute(Channel& channel, const Hooks& hooks = {});

  // The client's result: logits of every volume, or one index a volume.
  const RingVector& result();
  // This party's share of tensor i (0: the input, where an empty share of the server's is zero); not of an opened
  // result. After keep_shares().
  const RingVector& share(std::size_t tensor);

 private:
  PartyRun(const Program& program, const Schedule& schedule, Party party);
  class HeldOp;
  Bytes produced(const Message& message);
  void has_passed(std::size_t half);
  void release();
  void add_ops(const Plan& plan, CorrelationSource& source, const Weights* weights, RingVector input);
  const Program& program_;
  const Schedule& schedule_;
  Party party_;
  Bytes prepared_;  // the first message, once prepare() has made it
  bool keeps_ = false;
  std::vector<std::unique_ptr<HeldOp>> ops_;  // the input, the program's ops, the opening
  std::vector<std::size_t> pending_;          // halves of each that have not passed yet, both parties'
  std::vector<std::vector<std::size_t>> readers_;
};

}  // namespace smpc
