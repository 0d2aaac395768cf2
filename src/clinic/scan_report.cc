#include "smpc/clinic/scan_report.h"

#include <ctime>

#include "smpc/clinic/outcome.h"
#include "smpc/image/grid_words.h"
#include "smpc/report/report.h"

namespace smpc {
namespace {

ReportPhase phase(const char* name, const PhaseCost& cost, bool timed = true) {
  return {name, cost.sent, cost.received, timed ? std::optional(cost.seconds) : std::nullopt};
}

std::vector<ReportPhase> phases(const ClientCost& cost) {
  std::vector<ReportPhase> out;
  if (cost.setup.received > 0) out.push_back(phase("program and masked weights, once", cost.setup));
  if (cost.offline.received > 0) out.push_back(phase("correlated randomness", cost.offline));
  out.push_back(phase("inference", cost.online));
  out.push_back(phase("handshakes", cost.control, false));
  return out;
}

}  // namespace

std::string scan_report(const ScanOutcome& outcome, std::size_t i, std::span<const double> volume,
                        const std::string& dealer, std::chrono::system_clock::time_point time) {
  ReportContent c;
  c.scan = outcome.scan;
  c.volume = outcome.volumes[i];
  c.volumes = outcome.header.volumes;
  c.grid = outcome.grid;
  c.voxels = volume;
  c.orientation = orientation_letters(outcome.header.grid);
  if (outcome.header.grid != outcome.grid) c.voxel_size = grid_words(outcome.header.grid);
  c.resampling = outcome.resampling;
  if (!outcome.caution.empty()) c.cautions.push_back(outcome.caution);
  if (const std::string nan = nan_words(outcome, i); !nan.empty()) c.cautions.push_back(nan);
  c.label = label_of(outcome, i);
  for (const RankedClass& r : ranked(outcome, i, 5)) c.top.push_back({r.index, r.label, r.probability, r.value});
  c.softmax = outcome.what == Results::logits;
  if (c.top.empty()) c.top.push_back({outcome.results[i].index, c.label, std::nullopt});
  c.program = outcome.program;
  c.mask = outcome.mask;
  c.server = outcome.server;
  c.client = outcome.client;
  c.dealer = dealer;
  c.phases = phases(outcome.cost);
  c.messages = outcome.cost.rounds;
  Learned learned = who_learned_what(outcome);
  c.client_learned = std::move(learned.client);
  c.server_learned = std::move(learned.server);
  c.dealer_learned = std::move(learned.dealer);
  c.time = iso_8601(time);
  c.version = "smpc " SMPC_VERSION;
  return report_html(c);
}

std::string iso_8601(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
  std::string out(text, n);
  return out.insert(out.size() - 2, ":");  // +0100 to +01:00
}

}  // namespace smpc
