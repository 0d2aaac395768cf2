#include "site.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "smpc/base/bytes.h"
#include "smpc/base/error.h"
#include "smpc/clinic/outcome.h"
#include "smpc/report/background.h"

namespace smpc::web {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* background_path = "background.nii.gz";
constexpr int usage = static_cast<int>(ErrorKind::usage);
constexpr int bad_input = static_cast<int>(ErrorKind::bad_input);

Reply not_found(const std::string& message) { return error_reply(404, message, usage); }

Reply wrong_method(const std::string& allowed) {
  Reply reply = error_reply(405, "expected the method " + allowed, usage);
  reply.allow = allowed;
  return reply;
}

Reply background() {
  return {.status = 200,
          .type = "application/gzip",
          .body = std::make_shared<std::string>(as_text(mni_background()))};
}

struct Parts {
  std::string path;
  std::string query;
};

Parts split_query(const std::string& target) {
  const std::size_t mark = target.find('?');
  if (mark == target.npos) return {target, ""};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

// What `body` answers; what it throws, as the command line would say it, with `status` for what is the world's.
template <class Body>
Reply in_words(unsigned status, Body&& body) {
  try {
    return body();
  } catch (const Error& e) {
    return error_reply(status, e.what(), e.exit_code());
  } catch (const std::bad_alloc&) {
    return error_reply(500, "out of memory", 1);
  } catch (const std::exception& e) {
    return error_reply(500, e.what(), 1);
  }
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "scan4d" of "scan4d.nii.gz".
std::string stem(std::string name) {
  for (const std::string_view ending : {".gz", ".nii"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  return name;
}

// {"scan": "1", "volume": K or "all", "resample": false}
struct RunRequest {
  std::string scan;
  VolumeSelection volume;
  bool resample = false;
};

std::optional<RunRequest> parse_run_request(const std::string& body) {
  const json j = json::parse(body, nullptr, false);
  if (!j.is_object() || !j.contains("scan") || !j["scan"].is_string()) return std::nullopt;
  RunRequest out;
  out.scan = j["scan"];
  const json volume = j.value("volume", json());
  if (volume == "all") {
    out.volume.all = true;
  } else if (volume.is_number_unsigned()) {
    out.volume.index = volume.get<std::size_t>();
  } else if (!volume.is_null()) {
    return std::nullopt;
  }
  const json resample = j.value("resample", json(false));
  if (!resample.is_boolean()) return std::nullopt;
  out.resample = resample;
  return out;
}

}  // namespace

Site::Site(const Identity& identity, ClientOptions options, const std::filesystem::path& page, bool nan_as_zero)
    : nan_as_zero_(nan_as_zero), page_(page), desk_(identity, std::move(options)) {}

Answer Site::answer(const std::string& target, const Request& request, const std::string& body) {
  const auto [path, query] = split_query(target);
  const bool get = request.method == "GET";
  if (path == "api/model") return get ? model() : wrong_method("GET");
  if (path == "api/scan") return wrong_method("POST");
  if (path == "api/run") return request.method == "POST" ? start_run(body) : wrong_method("POST");
  if (path.starts_with("api/run/")) return about_run(path.substr(8), query, request);
  if (path == background_path) return get ? background() : wrong_method("GET");
  const PageFile* file = page_.find(path);
  if (file == nullptr) return not_found("expected a path of the page, found '" + path + "'");
  if (!get) return wrong_method("GET");
  return Reply{.status = 200, .type = file->type, .body = file->content};
}

bool Site::is_upload(const std::string& path, const Request& request) {
  return split_query(path).path == "api/scan" && request.method == "POST";
}

Reply Site::finish_upload(std::uint64_t number, const std::string& path, std::unique_ptr<Upload> file) {
  const auto name = plain_file_name(query_value(split_query(path).query, "name").value_or(""));
  if (!name) return error_reply(400, "expected api/scan?name=FILE, found no name that can be shown", usage);
  std::shared_ptr<const KeptScan> scan;
  const Reply refusal = in_words(422, [&] {
    scan = std::make_shared<const KeptScan>(number, *name, std::move(file), stopping_.get_token(), nan_as_zero_);
    return Reply();
  });
  return scan ? in_words(502, [&] { return keep(scan); }) : refusal;
}

Reply Site::keep(std::shared_ptr<const KeptScan> scan) {
  const std::optional<Grid> grid = model_grid();
  if (!grid) {
    return error_reply(422, "the server's model declares no grid, so it takes no scans; its owner can give --grid", bad_input);
  }
  const std::lock_guard guard(mutex_);
  if (scan_ && scan_->number() > scan->number()) {
    return error_reply(409, scan->name() + ": another scan was chosen meanwhile", bad_input);
  }
  scan_ = std::move(scan);
  return json_reply(200, scan_->description(*grid));
}

// Of a program that is pinned the server need not be asked.
std::optional<Grid> Site::model_grid() {
  {
    const std::lock_guard guard(mutex_);
    if (model_) return model_->grid;
  }
  if (desk_.options().approved.all()) return ask_model()->grid;
  return desk_.serve(stopping_.get_token(), [](const ClientProgress&) {}, [](ClientService& client) { return client.pinned()->grid; });
}

// The page asks after every run. Where the program is pinned a scan was refused without a word to the server, which a question
// now would tell.
std::shared_ptr<const Site::Model> Site::answered_model() const {
  const std::lock_guard guard(mutex_);
  const bool refused = run_ && run_->refused() && !desk_.options().approved.all();
  return run_ && (run_->at_work() || refused) ? model_ : nullptr;
}

Reply Site::model() {
  if (const auto model = answered_model()) return json_reply(200, model->told);
  return in_words(502, [&] { return json_reply(200, ask_model()->told); });
}

std::shared_ptr<const Site::Model> Site::ask_model() {
  const auto told = desk_.serve(stopping_.get_token(), [](const ClientProgress&) {}, [&](ClientService& client) {
    const Program& program = client.connect();
    client.disconnect();
    return std::make_shared<const Model>(Model{json{{"server", client.server_identity()},
                                                    {"server_address", desk_.options().server},
                                                    {"dealer_address", desk_.options().dealer},
                                                    {"program", client.program_hash()},
                                                    {"mask", client.mask()},
                                                    {"reveal", to_text(program.reveal)},
                                                    {"output", output_text(program.reveal, program.results)},
                                                    {"classes", program.classes()},
                                                    {"grid", program.grid ? to_json(*program.grid) : json()},
                                                    {"input_masked", !program.input_mask.empty()},
                                                    {"bundles", client.bundles()},
                                                    {"prepared", client.has_masked_weights()}},
                                               program.grid});
  });
  const std::lock_guard guard(mutex_);
  return model_ = told;
}

Reply Site::start_run(const std::string& body) {
  const auto wanted = parse_run_request(body);
  if (!wanted) {
    return error_reply(400, R"(expected {"scan": "1", "volume": K or "all", "resample": false}, found something else)", usage);
  }
  const std::lock_guard guard(mutex_);
  if (!scan_ || scan_->id() != wanted->scan) {
    return not_found("expected the scan that was chosen last, found another; choose the file again");
  }
  if (run_ && run_->at_work()) return error_reply(409, "expected one run at a time, found one at work; wait, or cancel it", usage);
  run_ = std::make_shared<PageRun>(++runs_, PageRun::Order{scan_, wanted->volume, wanted->resample, nan_as_zero_}, desk_);
  return json_reply(202, {{"run", run_->id()}});
}

std::shared_ptr<PageRun> Site::run(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  return run_ && run_->id() == id ? run_ : nullptr;
}

Answer Site::about_run(const std::string& what, std::string_view query, const Request& request) {
  const std::size_t slash = std::min(what.find('/'), what.size());
  const std::string part = what.substr(std::min(slash + 1, what.size()));
  if (part != "events" && part != "cancel" && part != "report.html" && part != "results.csv") {
    return not_found("expected events, cancel, report.html or results.csv of a run, found '" + part + "'");
  }
  const char* const method = part == "cancel" ? "POST" : "GET";
  if (request.method != method) return wrong_method(method);
  const std::shared_ptr<PageRun> run = this->run(what.substr(0, slash));
  if (!run) return not_found("expected the run that was started last, found another");
  if (part == "cancel") {
    run->cancel();
    return json_reply(202, json::object());
  }
  if (part == "events") {
    const auto seen = number(request.last_event_id);
    EventStream stream{run->events(), seen ? *seen + 1 : 0};
    const EventLog::Part rest = stream.log->read(stream.from, 0ms);
    if (rest.last && rest.events.empty()) return Reply{.status = 204};
    return stream;
  }
  return in_words(422, [&] { return results(*run, part == "report.html", number(query_value(query, "volume").value_or(""))); });
}

Reply Site::results(PageRun& run, bool report, std::optional<std::size_t> volume) const {
  const auto outcome = run.outcome();
  if (!outcome) return error_reply(409, "expected a run that has ended well, found none: there are no results", usage);
  if (!report) {
    return {.type = "text/csv; charset=utf-8",
            .body = std::make_shared<std::string>(to_csv(*outcome)),
            .download = stem(outcome->scan) + ".csv"};
  }
  const auto html = volume ? run.report(*volume) : std::nullopt;
  if (!html) return not_found("expected report.html?volume=K of a volume that was asked about, found another");
  return {.type = "text/html; charset=utf-8",
          .body = std::make_shared<std::string>(*html),
          .download = stem(outcome->scan) + "-volume-" + std::to_string(*volume) + ".html"};
}

void Site::stop() noexcept {
  stopping_.request_stop();
  const std::lock_guard guard(mutex_);
  if (run_) run_->cancel();
}

}  // namespace smpc::web
