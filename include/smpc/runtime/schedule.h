// The halves of a program joined into messages: who sends what, when, how long it is. A function of the program and the
// number of volumes alone, and so is everything that a run costs.
#pragma once

#include <vector>

#include "smpc/correlation/plan.h"
#include "smpc/protocol/op.h"

namespace smpc {

struct Message {
  Party from;
  std::vector<std::size_t> halves;  // indices, in order
  std::size_t bytes = 0;            // of the payload, without the frame's header
};

struct Schedule {
  std::size_t volumes = 1;
  std::vector<Half> halves;
  std::vector<Message> messages;  // in sequence; the client's first, which may be empty
};

// The parties take turns. Each sends its halves in their order, as many as it can compute by then: in no fewer messages could
// they go, since what a half needs is everything of the peer's up to one half, and a layer's randomness is not wanted before
// the layer is.
Schedule make_schedule(const Program& program, const Plan& plan, std::size_t volumes);

// What one run sends, frame headers included.
struct Cost {
  std::size_t client_to_server = 0;
  std::size_t server_to_client = 0;
  std::size_t messages = 0;
  friend bool operator==(const Cost&, const Cost&) = default;
};
Cost predicted_cost(const Schedule& schedule);

// The same per op of the program; one more for the opening of the result. Without frame headers.
std::vector<Cost> cost_by_op(const Program& program, const Schedule& schedule);

// The first op that still waits for a message once `passed` of them have gone, counted as cost_by_op
// counts: the program's ops, then the opening. Where nothing waits any more, the last op with a message.
std::size_t op_in_progress(const Schedule& schedule, std::size_t passed);

}  // namespace smpc
