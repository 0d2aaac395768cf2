// What a run tells, kept from the first event on, for any number of readers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace smpc::web {

struct Event {
  std::string name;
  std::string data;  // one line
};

class EventLog {
 public:
  void append(std::string name, std::string data);
  // Nothing is appended any more.
  void end();

  struct Part {
    std::vector<Event> events;
    bool last = false;  // nothing comes after them
  };
  // The events from number `from` on; waits for one up to `patience`.
  Part read(std::size_t from, std::chrono::milliseconds patience) const;
  bool ended() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Event> events_;
  bool ended_ = false;
};

}  // namespace smpc::web
