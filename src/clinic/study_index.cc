#include "study_index.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "cell_text.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/text.h"
#include "smpc/report/html.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* tool = "smpc " SMPC_VERSION;

std::string text_of(const json& j, const char* key) { return j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : ""; }

// Behind "..._desc-n", or the N of "..._desc-LABELN".
constexpr std::string_view sidecar_ending = "etworks_predictions.json";

// The folder and the names of a scan's results are told by the name of its sidecar.
StudyScan scan_of_sidecar(const fs::path& relative) {
  StudyScan scan;
  scan.folder = relative.parent_path();
  const std::string file = relative.filename();
  scan.name = file.substr(0, file.size() - sidecar_ending.size());
  scan.name = scan.name.ends_with("_desc-n") ? scan.name.substr(0, scan.name.size() - 7) : scan.name.substr(0, scan.name.size() - 1);
  scan.participant = scan.name.substr(4, scan.name.find('_') - 4);
  return scan;
}

bool is_sidecar(const std::string& file) {
  return file.starts_with("sub-") && file.ends_with(sidecar_ending) && file.find("_desc-") != std::string::npos &&
         (file.ends_with("_desc-networks_predictions.json") || file.ends_with("Networks_predictions.json"));
}

// What failed is named in the file: its name may be a path.
std::optional<StudyScan> scan_of_failure(const fs::path& file) {
  const auto j = read_json(file);
  if (!j || !j->is_object() || text_of(*j, "Name").empty()) return std::nullopt;
  StudyScan scan;
  scan.participant = text_of(*j, "Participant");
  scan.name = text_of(*j, "Name");
  return scan;
}

void read_result(const fs::path& out_dir, const StudyPaths& paths, StudyRecord& record) {
  const auto j = read_json(out_dir / paths.sidecar);
  if (!j || !j->is_object()) return;
  try {
    record.volumes = read_predictions(as_text(read_file(out_dir / paths.predictions)));
  } catch (const Error&) {
    return;
  }
  record.sidecar = paths.sidecar.generic_string();
  record.predictions = paths.predictions.generic_string();
  record.source_volumes = j->value("SourceVolumes", std::size_t{0});
  if (j->contains("Sources") && (*j)["Sources"].is_array() && !(*j)["Sources"].empty()) {
    record.source = (*j)["Sources"][0].get<std::string>();
    if (record.source.starts_with("bids:source:")) record.source.erase(0, 12);
  }
  for (const json& report : j->value("Reports", json::array())) {
    record.reports.push_back((paths.folder / report.get<std::string>()).generic_string());
  }
  if (record.reports.size() != record.volumes.size()) record.reports.clear();
  record.date = text_of(*j, "Date");
  record.program = text_of(*j, "Program");
  record.server = text_of(*j, "Server");
  record.client = text_of(*j, "Client");
  for (const char* note : {"Resampling", "Caution", "NanVoxels"}) {
    if (const std::string text = text_of(*j, note); !text.empty()) record.notes.push_back(text);
  }
}

std::string link(const std::string& path, const std::string& text) {
  return "<a href=\"" + html_escape(uri_path(path)) + "\">" + html_escape(text) + "</a>";
}

std::string foreign(const std::string& text) { return "<bdi>" + html_escape(text) + "</bdi>"; }

std::string plural(std::size_t n, const char* one) { return grouped_text(n) + " " + one + (n == 1 ? "" : "s"); }

std::string bar_html(double p) {
  const double width = std::isfinite(p) ? std::clamp(p, 0.0, 1.0) * 100 : 0;
  return "<span class=\"track\"><span class=\"fill\" style=\"width:" + number_text(width, 5) + "%\"></span></span>";
}

// The networks of a scan: the one of most volumes first, of as many the one that is surest.
std::string networks_words(const StudyRecord& record) {
  struct Seen {
    std::string label;
    std::size_t volumes = 0;
    double surest = 0;
  };
  std::map<std::string, Seen> seen;
  for (const Prediction& p : record.volumes) {
    Seen& s = seen[p.label];
    s = {p.label, s.volumes + 1, std::max(s.surest, p.probability.value_or(0))};
  }
  std::vector<Seen> order;
  for (const auto& [label, s] : seen) order.push_back(s);
  std::stable_sort(order.begin(), order.end(), [](const Seen& a, const Seen& b) {
    return std::tie(b.volumes, b.surest) < std::tie(a.volumes, a.surest);
  });
  std::string out;
  constexpr std::size_t shown = 3;
  for (std::size_t i = 0; i < std::min(shown, order.size()); ++i) {
    out += (i == 0 ? "" : ", ") + foreign(order[i].label);
    if (order[i].volumes > 1) out += " (" + plural(order[i].volumes, "volume") + ")";
  }
  if (order.size() > shown) out += " and " + std::to_string(order.size() - shown) + " more";
  return out;
}

std::string index_row(const StudyRecord& r) {
  const bool failed = !r.reason.empty();
  const bool there = !r.predictions.empty();
  std::string out = "<tr><th scope=\"row\">" + (there ? link(r.page(), r.name) : html_escape(r.name)) + "</th><td class=\"short\">" +
                    (failed ? "<b class=\"failed\">failed</b>" : "done") + "</td><td>";
  if (failed) out += foreign(r.reason) + (there ? "<br>Results of an earlier run: " : "");
  if (there) out += (failed ? "" : networks_words(r)) + (failed ? link(r.page(), "page") : "");
  out += "</td><td class=\"count\">" + (there ? grouped_text(r.volumes.size()) : std::string()) + "</td><td class=\"short\">";
  if (there) out += link(r.predictions, "TSV") + " " + link(r.sidecar, "JSON");
  return out + "</td></tr>\n";
}

std::string notice() {
  return "<footer>\n<p><b>Research software, not a medical device.</b> Not for diagnosis or treatment.</p>\n<p>" +
         std::string(tool) + ".</p>\n</footer>\n";
}

std::string fact(const std::string& name, const std::string& html) {
  return html.empty() ? "" : "<tr><th scope=\"row\">" + name + "</th><td>" + html + "</td></tr>\n";
}

std::string code(const std::string& text) { return text.empty() ? "" : "<code>" + html_escape(text) + "</code>"; }

std::string volume_row(const StudyRecord& r, std::size_t i) {
  const Prediction& p = r.volumes[i];
  std::string out = "<tr><th scope=\"row\">" + std::to_string(p.volume) + "</th><td>" + foreign(p.label) + "</td>";
  if (p.probability) out += "<td class=\"bar\">" + bar_html(*p.probability) + "</td><td class=\"short\">" + html_escape(probability_text(*p.probability)) + "</td>";
  if (!r.reports.empty()) out += "<td class=\"short\">" + link(r.reports[i], "report") + "</td>";
  return out + "</tr>\n";
}

// What the table of a study needs beyond the report's style.
constexpr const char* own_style = R"(<style>
section { margin-bottom: 1.4rem; }
.study td:not(:last-child), .volumes td:not(:last-child) { padding-right: 0.9rem; }
.study th, .study .short, .volumes th, .volumes .short { white-space: nowrap; }
.study .count { text-align: right; font-variant-numeric: tabular-nums; }
.study th[scope=row], .volumes .short { font-variant-numeric: tabular-nums; }
.volumes td, .volumes th { vertical-align: middle; }
.volumes .bar { width: 35%; }
.volumes .track { display: block; }
.failed { color: #b3261e; }
@media (prefers-color-scheme: dark) { .failed { color: #ff8a80; } }
</style>
)";

}  // namespace

StudyRecord read_record(const fs::path& out_dir, const StudyScan& scan) {
  const StudyPaths paths(scan);
  StudyRecord record;
  record.participant = scan.participant;
  record.name = scan.name;
  try {
    read_result(out_dir, paths, record);
  } catch (const json::exception&) {
    record = {};
    record.participant = scan.participant;
    record.name = scan.name;
  }
  if (const auto failure = read_json(out_dir / paths.failure); failure && failure->is_object()) {
    record.reason = text_of(*failure, "Reason");
    const json code = failure->value("ExitCode", json(1));
    record.exit_code = code.is_number_integer() ? code.get<int>() : 1;
    if (record.source.empty()) record.source = text_of(*failure, "Source");
  }
  return record;
}

std::vector<StudyRecord> read_records(const fs::path& out_dir) {
  std::map<std::string, StudyScan> scans;  // by name
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto at = fs::recursive_directory_iterator(out_dir, options, error); !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const fs::path relative = at->path().lexically_relative(out_dir);
    const std::string file = relative.filename();
    if (is_sidecar(file)) {
      StudyScan scan = scan_of_sidecar(relative);
      scans[scan.name] = scan;
    } else if (file.ends_with("_desc-networks_failure.json")) {
      if (const auto scan = scan_of_failure(at->path())) scans.emplace(scan->name, *scan);  // one with a result knows its folder
    }
  }
  std::vector<StudyRecord> out;
  for (const auto& [name, scan] : scans) out.push_back(read_record(out_dir, scan));
  return out;
}

std::string study_index_html(const std::vector<StudyRecord>& records) {
  const auto failed = static_cast<std::size_t>(
      std::count_if(records.begin(), records.end(), [](const StudyRecord& r) { return !r.reason.empty(); }));
  std::string body = std::string(own_style) + "<header>\n<div>\n<p class=\"kind\">Brain networks of a study</p>\n<h1>" +
                     plural(records.size(), "scan") + "</h1>\n<p class=\"verdict\">" + plural(records.size() - failed, "scan") +
                     " done, " + std::to_string(failed) + " failed</p>\n</div>\n</header>\n<main>\n<section>\n" +
                     "<table class=\"study\">\n<thead><tr><th scope=\"col\">Scan</th><th scope=\"col\">Status</th>"
                     "<th scope=\"col\">Networks, or the reason</th>"
                     "<th scope=\"col\" class=\"count\">Volumes</th><th scope=\"col\">Data</th></tr></thead>\n<tbody>\n";
  for (const StudyRecord& record : records) body += index_row(record);
  body += "</tbody>\n</table>\n</section>\n</main>\n" + notice();
  return html_document({"Brain networks of " + plural(records.size(), "scan"), tool, body});
}

std::string scan_html(const StudyRecord& r) {
  std::string body = std::string(own_style) + "<header>\n<div>\n<p class=\"kind\">Brain networks of one scan</p>\n<h1>" +
                     html_escape(r.name) + "</h1>\n<p class=\"verdict\">" + plural(r.volumes.size(), "volume") +
                     (r.source_volumes > r.volumes.size() ? ", the first of " + grouped_text(r.source_volumes) : "") +
                     "</p>\n</div>\n<div class=\"about\">\n<p>" + link("index.html", "all scans") + "</p>\n<p>" +
                     html_escape(r.date) + "</p>\n</div>\n</header>\n<main>\n";
  if (!r.reason.empty()) {
    body += "<section class=\"cautions\">\n<h2>These are the results of an earlier run</h2>\n<p>The last one failed: " +
            foreign(r.reason) + "</p>\n</section>\n";
  }
  for (const std::string& note : r.notes) body += "<section class=\"cautions\">\n<p>" + html_escape(note) + "</p>\n</section>\n";
  const bool probabilities = !r.volumes.empty() && r.volumes.front().probability.has_value();
  body += std::string("<section>\n<table class=\"volumes\">\n<thead><tr><th scope=\"col\">Volume</th><th scope=\"col\">Network</th>") +
          (probabilities ? "<th scope=\"col\" colspan=\"2\">Probability</th>" : "") +
          (r.reports.empty() ? "" : "<th scope=\"col\">Pictures</th>") + "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < r.volumes.size(); ++i) body += volume_row(r, i);
  body += "</tbody>\n</table>\n</section>\n<section>\n<h2>Computation</h2>\n<table class=\"facts\">\n" +
          fact("Source", code(r.source)) + fact("Model's server", foreign(r.server)) + fact("Client", foreign(r.client)) +
          fact("Program", code(r.program)) + fact("Data", link(r.predictions, "TSV") + " " + link(r.sidecar, "JSON")) +
          "</table>\n</section>\n</main>\n" + notice();
  return html_document({r.name + " - brain networks", tool, body});
}

std::string study_tsv(const std::vector<StudyRecord>& records) {
  std::string out = "participant_id\tname\tstatus\tvolumes\texit_code\treason\n";
  for (const StudyRecord& r : records) {
    out += (r.participant.empty() ? "n/a" : "sub-" + printable(r.participant)) + "\t" + cell_text(printable(r.name)) + "\t" + (r.reason.empty() ? "done" : "failed") + "\t" +
           std::to_string(r.volumes.size()) + "\t" + std::to_string(r.exit_code) + "\t" +
           (r.reason.empty() ? "n/a" : cell_text(printable(r.reason))) + "\n";
  }
  return out;
}

}  // namespace smpc
