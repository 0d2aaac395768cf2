#include "page_run.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "http.h"
#include "smpc/base/error.h"
#include "smpc/clinic/outcome.h"
#include "smpc/clinic/scan_report.h"

namespace smpc::web {
namespace {

using nlohmann::json;

constexpr std::uint64_t steps_of_a_phase = 200;  // that are told

std::string line(const json& data) { return data.dump(-1, ' ', false, json::error_handler_t::replace); }

json to_json(const ClientProgress& p) {
  return {{"phase", to_text(p.phase)},
          {"text", description(p.phase)},
          {"done", p.done},
          {"whole", p.whole},
          {"layer", p.layer},
          {"sent", p.sent},
          {"received", p.received},
          {"seconds", p.seconds},
          {"volumes_done", p.volumes_done},
          {"volumes", p.volumes}};
}

json result_json(const ScanOutcome& outcome, double seconds) {
  json out = smpc::to_json(outcome);
  const Learned learned = who_learned_what(outcome);
  out["learned"] = {{"client", learned.client}, {"server", learned.server}, {"dealer", learned.dealer}};
  out["seconds"] = seconds;
  out["resampling"] = outcome.resampling;
  out["caution"] = outcome.caution;
  out["nan"] = nan_words(outcome);
  return out;
}

}  // namespace

PageRun::PageRun(std::uint64_t number, Order order, ClientDesk& desk)
    : number_(number), order_(std::move(order)), desk_(desk), thread_([this](const std::stop_token& stop) { work(stop); }) {}

void PageRun::cancel() {
  const std::lock_guard guard(mutex_);
  if (!outcome_) thread_.request_stop();  // else it has ended, and its scan is still to be read for reports
}

std::shared_ptr<const ScanOutcome> PageRun::outcome() const {
  const std::lock_guard guard(mutex_);
  return outcome_;
}

bool PageRun::refused() const {
  const std::lock_guard guard(mutex_);
  return refused_;
}

std::optional<std::string> PageRun::report(std::size_t volume) {
  const auto outcome = this->outcome();
  if (!outcome) return std::nullopt;
  const auto found = std::find(outcome->volumes.begin(), outcome->volumes.end(), volume);
  if (found == outcome->volumes.end()) return std::nullopt;
  const auto i = static_cast<std::size_t>(found - outcome->volumes.begin());
  const std::lock_guard guard(reading_);
  return scan_report(*outcome, i, scan_->volume(i), desk_.options().dealer, learned_);
}

void PageRun::work(const std::stop_token& stop) {
  const auto failed = [&](const std::string& message, int exit_code) {
    events_->append("failed", line(error_json(message, exit_code)));
  };
  try {
    ask(stop);
  } catch (const Error& e) {
    const Error shown = stop.stop_requested() ? Error(Cancelled()) : e;  // whatever it was that the stop interrupted
    {
      const std::lock_guard guard(mutex_);
      refused_ = shown.kind() == ErrorKind::bad_input;
    }
    failed(shown.what(), shown.exit_code());
  } catch (const std::bad_alloc&) {
    failed("out of memory", 1);
  } catch (const std::exception& e) {
    failed(e.what(), 1);
  }
  events_->end();
}

void PageRun::ask(const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  const auto telling = [this](const ClientProgress& p) { tell(p); };
  if (!desk_.options().approved.all()) {
    desk_.serve(stop, telling, [](ClientService& client) { client.pinned(); });  // before the scan is read, where it is not stored
  }
  scan_.emplace(order_.scan->path(), ScanOptions{.selection = order_.selection,
                                                 .resample = order_.resample,
                                                 .nan_as_zero = order_.nan_as_zero,
                                                 .name = order_.scan->name(),
                                                 .stop = stop});
  const auto outcome = std::make_shared<const ScanOutcome>(
      desk_.serve(stop, telling,
                  [&](ClientService& client) { return scan_->infer(client, desk_.identity()); }));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  {
    const std::lock_guard guard(mutex_);
    if (stop.stop_requested()) throw Cancelled();
    outcome_ = outcome;
    learned_ = std::chrono::system_clock::now();
  }
  events_->append("result", line(result_json(*outcome, seconds.count())));
}

void PageRun::tell(const ClientProgress& progress) {
  if (is_worth_telling(progress)) events_->append("progress", line(to_json(progress)));
}

// All events are kept: of a phase that comes in many small steps about every two hundredth part, and its end.
bool PageRun::is_worth_telling(const ClientProgress& p) {
  const bool same_step = phase_ == p.phase && layer_ == p.layer && p.done >= done_;
  if (same_step && p.done != p.whole && (p.done - done_) * steps_of_a_phase < p.whole) return false;
  phase_ = p.phase;
  layer_ = p.layer;
  done_ = p.done;
  return true;
}

}  // namespace smpc::web
