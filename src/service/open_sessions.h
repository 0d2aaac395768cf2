// The sessions of a service between two requests: they end at once when the service stops, while requests in progress are
// finished.
#pragma once

#include <mutex>
#include <set>

#include "smpc/base/error.h"
#include "smpc/net/channel.h"

namespace smpc {

class OpenSessions {
 public:
  // Runs `wait`, which waits for a request on `channel`; stop() cuts the channel meanwhile. Throws a peer error once the
  // service is stopping.
  template <class Wait>
  auto between_requests(Channel& channel, Wait&& wait) {
    const Idle idle(*this, channel);
    return wait();
  }
  bool stopping() const {
    const std::scoped_lock guard(mutex_);
    return stopping_;
  }
  void stop() {
    const std::scoped_lock guard(mutex_);
    stopping_ = true;
    for (Channel* c : idle_) c->cut();
  }

 private:
  struct Idle {
    Idle(OpenSessions& all, Channel& channel) : all_(all), channel_(channel) {
      const std::scoped_lock guard(all_.mutex_);
      if (all_.stopping_) fail_peer("expected to go on, found that this side is stopping");
      all_.idle_.insert(&channel_);
    }
    ~Idle() {
      const std::scoped_lock guard(all_.mutex_);
      all_.idle_.erase(&channel_);
    }
    OpenSessions& all_;
    Channel& channel_;
  };
  mutable std::mutex mutex_;
  std::set<Channel*> idle_;
  bool stopping_ = false;
};

}  // namespace smpc
