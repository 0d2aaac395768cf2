// How a volume or other inputs are judged by a program: before anyone is connected to, where the program is pinned; and what is
// refused goes into the client's audit log.
#pragma once

#include <string_view>
#include <utility>

#include "smpc/base/error.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/service/client.h"

namespace smpc {

// What a volume is judged by. A server whose program is pinned hears nothing of this.
inline const Program& judging_program(ClientService& client) {
  const Program* pinned = client.pinned();
  return pinned != nullptr ? *pinned : client.connect();
}

// `body` judges. What it refuses is recorded: by quantise's rule, else by `rule`.
template <class Body>
auto judged(ClientService& client, std::string_view rule, Body&& body) {
  try {
    return body();
  } catch (const VolumeRefusal& refusal) {
    client.record_refusal(refusal.rule());
    throw;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::bad_input) client.record_refusal(rule);
    throw;
  }
}

}  // namespace smpc
