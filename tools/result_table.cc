#include "result_table.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "smpc/clinic/outcome.h"

namespace smpc::tools {
namespace {

struct Row {
  std::string volume;  // empty: no such column
  std::string network;
  std::optional<double> probability;
  std::string number;  // the probability, or the value; empty: neither is revealed
};

std::string number_text(const RankedClass& c) {
  char text[32];
  std::snprintf(text, sizeof text, c.probability ? "%.4f" : "%.6g", c.probability.value_or(c.value));
  return text;
}

std::vector<Row> rows_of(const ScanOutcome& outcome) {
  std::vector<Row> rows;
  if (outcome.results.size() == 1) {
    for (const RankedClass& c : ranked(outcome, 0, 5)) rows.push_back({"", c.label, c.probability, number_text(c)});
    if (rows.empty()) rows.push_back({"", label_of(outcome, 0), {}, ""});
    return rows;
  }
  for (std::size_t i = 0; i < outcome.results.size(); ++i) {
    Row row{std::to_string(outcome.volumes[i]), label_of(outcome, i), {}, ""};
    for (const RankedClass& best : ranked(outcome, i, 1)) {
      row.probability = best.probability;
      row.number = number_text(best);
    }
    rows.push_back(row);
  }
  return rows;
}

// The widths of the columns; 0: the column is not there.
struct Columns {
  std::size_t volume = 0;
  std::size_t network = 0;
  std::size_t bar = 0;
  std::size_t number = 0;
};

constexpr std::size_t gap = 2;
constexpr std::size_t longest_bar = 30;
constexpr std::size_t shortest_bar = 8;

Columns layout(const std::vector<Row>& rows, const Terminal& terminal) {
  Columns c;
  c.network = std::string_view("network").size();
  bool probabilities = false;
  for (const Row& row : rows) {
    c.volume = std::max(c.volume, row.volume.size());
    c.network = std::max(c.network, width_of(fitted(row.network, terminal.columns, terminal.utf8)));
    c.number = std::max(c.number, row.number.size());
    probabilities = probabilities || row.probability.has_value();
  }
  if (c.number > 0 && !probabilities) c.number = std::max(c.number, std::string_view("value").size());
  if (c.volume > 0) c.volume = std::max(c.volume, std::string_view("volume").size());
  const std::size_t fixed = gap + (c.volume > 0 ? c.volume + gap : 0) + (c.number > 0 ? c.number + gap : 0);
  const std::size_t room = terminal.columns > fixed + 1 ? terminal.columns - fixed : 1;
  if (probabilities && room >= std::min<std::size_t>(c.network, 12) + gap + shortest_bar) {
    // A long name is cut before the bar becomes too short to be read.
    const std::size_t for_name = std::max<std::size_t>(std::min<std::size_t>(c.network, 12), room - gap - shortest_bar);
    c.network = std::min(c.network, for_name);
    c.bar = std::min(longest_bar, room - gap - c.network);
  }
  c.network = std::min(c.network, room);
  return c;
}

// Two blanks before each column that is there; `drawn` and `value` are as wide as theirs.
std::string line(const Columns& c, const std::string& volume, const std::string& network, const std::string& drawn,
                 const std::string& value) {
  const std::string between(gap, ' ');
  std::string out = between;
  if (c.volume > 0) out += std::string(c.volume - std::min(c.volume, volume.size()), ' ') + volume + between;
  out += network;
  if (c.bar > 0) out += between + drawn;
  if (c.number > 0) out += between + value;
  return out;
}

std::string heading(const Columns& c, bool probabilities, const Terminal& terminal) {
  // The word stands above bar and number together.
  const std::string word = c.bar > 0 ? "probability" : probabilities ? "" : "value";
  const bool fits = c.number > 0 && !word.empty() && (c.bar > 0 ? c.bar + gap : 0) + c.number >= word.size();
  const std::string network = fits ? padded("network", c.network, terminal.utf8) : fitted("network", c.network, terminal.utf8);
  std::string out = line({c.volume, c.network, 0, 0}, "volume", network, "", "");
  if (fits) out += std::string(gap, ' ') + word;
  return painted(out, Paint::dim, terminal) + "\n";
}

}  // namespace

std::string result_table(const ScanOutcome& outcome, const Terminal& terminal) {
  const std::vector<Row> rows = rows_of(outcome);
  const Columns c = layout(rows, terminal);
  // Headings where there is more than a name to be named.
  const bool probabilities = rows.front().probability.has_value();
  std::string out = c.number > 0 || c.volume > 0 ? heading(c, probabilities, terminal) : "";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const auto stressed = [&](const std::string& text) {
      return i == 0 && c.volume == 0 ? painted(text, Paint::bold, terminal) : text;
    };
    const std::string network =
        c.number > 0 ? padded(row.network, c.network, terminal.utf8) : fitted(row.network, c.network, terminal.utf8);
    const std::string drawn = painted(bar(row.probability.value_or(0), c.bar, terminal.utf8), Paint::accent, terminal);
    out += line(c, row.volume, stressed(network), drawn, row.number.empty() ? "" : stressed(padded(row.number, c.number, terminal.utf8))) + "\n";
  }
  return out;
}

std::string cost_lines(const ClientCost& cost) {
  std::string out;
  const auto add = [&](const char* what, const PhaseCost& p, const char* other, const std::string& more) {
    if (p.sent + p.received == 0) return;
    out += std::string(what) + ": ";
    if (p.sent > 0) out += "client sent " + human_bytes(p.sent) + ", ";
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f s", p.seconds);
    out += std::string(other) + " sent " + human_bytes(p.received) + ", " + seconds + more + "\n";
  };
  add("inference", cost.online, "server", ", " + std::to_string(cost.rounds) + " messages in sequence");
  add("correlated randomness", cost.offline, "dealer", "");
  add("program and masked weights, once", cost.setup, "server", "");
  return out;
}

}  // namespace smpc::tools
