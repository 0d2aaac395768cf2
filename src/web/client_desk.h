// Where ClientServices come from: one at a time, each for one action. Between actions the state folder is free for other
// commands of the same user.
#pragma once

#include <functional>
#include <mutex>
#include <stop_token>

#include "smpc/service/client.h"

namespace smpc::web {

class ClientDesk {
 public:
  ClientDesk(const Identity& identity, ClientOptions options) : identity_(identity), options_(std::move(options)) {}

  const Identity& identity() const noexcept { return identity_; }
  const ClientOptions& options() const noexcept { return options_; }

  // What `body` makes of a client, which is cancelled when a stop is requested.
  template <class Body>
  auto serve(const std::stop_token& stop, std::function<void(const ClientProgress&)> progress, Body&& body) {
    const std::lock_guard turn(turn_);
    if (stop.stop_requested()) throw Cancelled();
    ClientOptions options = options_;
    options.progress = std::move(progress);
    ClientService client(identity_, std::move(options));
    const std::stop_callback cancelling(stop, [&] { client.cancel(); });
    return body(client);
  }

 private:
  const Identity& identity_;
  const ClientOptions options_;
  std::mutex turn_;
};

}  // namespace smpc::web
