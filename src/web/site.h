// What is to be had below "/TOKEN/": the page's files and the requests of docs/CLINIC.md.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <variant>

#include "client_desk.h"
#include "event_log.h"
#include "http.h"
#include "kept_scan.h"
#include "page_files.h"
#include "page_run.h"

namespace smpc::web {

// The events of a run from number `from` on.
struct EventStream {
  std::shared_ptr<const EventLog> log;
  std::size_t from = 0;
};
using Answer = std::variant<Reply, EventStream>;

class Site {
 public:
  Site(const Identity& identity, ClientOptions options, const std::filesystem::path& page, bool nan_as_zero);

  // Every request but an upload. `path` is what the guard admitted, the query included. From any thread.
  Answer answer(const std::string& path, const Request& request, const std::string& body);

  // A scan is sent as the body, which may be large: its place among the uploads is taken when it begins.
  static bool is_upload(const std::string& path, const Request& request);
  std::uint64_t begin_upload() noexcept { return ++uploads_; }
  Reply finish_upload(std::uint64_t number, const std::string& path, std::unique_ptr<Upload> file);

  // Whatever is at work ends soon, and so does every event stream.
  void stop() noexcept;

 private:
  // What the server told of its model.
  struct Model {
    nlohmann::json told;
    std::optional<Grid> grid;
  };

  std::shared_ptr<const Model> ask_model();
  // What stands in for the server's answer now; or null.
  std::shared_ptr<const Model> answered_model() const;
  std::optional<Grid> model_grid();
  Reply model();
  Reply keep(std::shared_ptr<const KeptScan> scan);
  Reply start_run(const std::string& body);
  Answer about_run(const std::string& what, std::string_view query, const Request& request);
  Reply results(PageRun& run, bool report, std::optional<std::size_t> volume) const;
  std::shared_ptr<PageRun> run(const std::string& id) const;

  const bool nan_as_zero_;
  const PageFiles page_;
  ClientDesk desk_;
  std::stop_source stopping_;
  std::atomic<std::uint64_t> uploads_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Model> model_;  // as it was told last; or none
  std::shared_ptr<const KeptScan> scan_;
  std::shared_ptr<PageRun> run_;
  std::uint64_t runs_ = 0;
};

}  // namespace smpc::web
