#include "event_log.h"

#include <utility>

namespace smpc::web {

void EventLog::append(std::string name, std::string data) {
  {
    const std::lock_guard guard(mutex_);
    events_.push_back({std::move(name), std::move(data)});
  }
  changed_.notify_all();
}

void EventLog::end() {
  {
    const std::lock_guard guard(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

EventLog::Part EventLog::read(std::size_t from, std::chrono::milliseconds patience) const {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, patience, [&] { return ended_ || events_.size() > from; });
  Part out;
  for (std::size_t i = from; i < events_.size(); ++i) out.events.push_back(events_[i]);
  out.last = ended_;
  return out;
}

bool EventLog::ended() const {
  const std::lock_guard guard(mutex_);
  return ended_;
}

}  // namespace smpc::web
