// One run: a thread that asks about a scan, and tells what it does.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "client_desk.h"
#include "event_log.h"
#include "kept_scan.h"
#include "smpc/clinic/scan_run.h"

namespace smpc::web {

class PageRun {
 public:
  struct Order {
    std::shared_ptr<const KeptScan> scan;
    VolumeSelection selection;
    bool resample = false;
    bool nan_as_zero = false;
  };

  // Starts at once.
  PageRun(std::uint64_t number, Order order, ClientDesk& desk);
  ~PageRun() = default;  // cancels, and waits
  PageRun(const PageRun&) = delete;
  PageRun& operator=(const PageRun&) = delete;

  std::string id() const { return std::to_string(number_); }
  const Order& order() const noexcept { return order_; }
  void cancel();  // without effect once there is an outcome
  std::shared_ptr<const EventLog> events() const noexcept { return events_; }
  bool at_work() const { return !events_->ended(); }
  std::shared_ptr<const ScanOutcome> outcome() const;  // null before the end, and where the run failed
  bool refused() const;  // ended by its scan, not by a peer
  // Of a volume that was asked about, in HTML; none where it was not, or there is no outcome.
  std::optional<std::string> report(std::size_t volume);

 private:
  void work(const std::stop_token& stop);
  void ask(const std::stop_token& stop);
  void tell(const ClientProgress& progress);
  bool is_worth_telling(const ClientProgress& progress);

  const std::uint64_t number_;
  const Order order_;
  ClientDesk& desk_;
  const std::shared_ptr<EventLog> events_ = std::make_shared<EventLog>();
  mutable std::mutex mutex_;
  std::shared_ptr<const ScanOutcome> outcome_;  // under mutex_
  std::chrono::system_clock::time_point learned_;  // with outcome_
  bool refused_ = false;                           // under mutex_
  std::mutex reading_;
  std::optional<ScanRun> scan_;  // the thread's; then under reading_
  // The phase and layer told last, and how far they were; the thread's own.
  std::optional<ClientPhase> phase_;
  std::string layer_;
  std::uint64_t done_ = 0;
  std::jthread thread_;  // the last: it uses the others
};

}  // namespace smpc::web
