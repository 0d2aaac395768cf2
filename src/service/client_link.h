// The one channel that a client has open, whoever is at its other end: what passed over it, and how it is cut.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "smpc/net/channel.h"
#include "smpc/service/client.h"

namespace smpc {

class ClientLink {
 public:
  // From now on cancel() cuts this channel.
  std::shared_ptr<Channel> use(std::shared_ptr<Channel> channel);
  // Says goodbye.
  void end();
  // Without one, if there is a channel: the other side sees the connection break off.
  void abandon() noexcept;

  // From any thread. Afterwards every other call throws Cancelled.
  void cancel() noexcept;
  // What a cut channel throws becomes Cancelled.
  template <class Body>
  auto cancellable(Body&& body) const {
    try {
      return body();
    } catch (const Error&) {
      if (cancelled_.load()) throw Cancelled();
      throw;
    }
  }

  // Adds bytes and seconds since the phase began.
  ClientProgress progress(ClientProgress so_far);
  // Of the channels that have ended.
  Traffic closed() const noexcept { return closed_; }

 private:
  std::mutex cutting_;
  std::shared_ptr<Channel> channel_;  // changes under cutting_
  std::atomic<bool> cancelled_{false};
  Traffic closed_;
  std::optional<ClientPhase> phase_;  // and when it began, and what had passed by then
  Clock::time_point since_;
  Traffic before_;
};

}  // namespace smpc
