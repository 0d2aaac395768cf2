// The clinician's page: an HTTP server in the client's own process, on the loopback interface, for one user of this
// machine. docs/CLINIC.md ("The page") has its requests and rules, docs/SECURITY.md what it defends.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "smpc/net/identity.h"
#include "smpc/service/approved_programs.h"

namespace smpc {

struct UiOptions {
  std::string server = "127.0.0.1:7200";
  std::string dealer = "127.0.0.1:7100";
  std::filesystem::path state;  // the client's; locked while something is asked, and not between
  ApprovedPrograms approved{};  // as ClientOptions has them
  std::filesystem::path page;   // folder of the built page: index.html and what it loads
  std::uint16_t port = 0;       // 0 picks a free one
  bool nan_as_zero = false;     // of every scan, as ScanOptions has it
  // For the header of a request, for a small body, for the next piece of a scan; and how long an idle connection stays.
  std::chrono::milliseconds patience{30'000};
  std::chrono::milliseconds state_patience{10'000};  // for another command to leave the state folder
  std::size_t max_connections = 32;  // one more cuts one that is idle, or waits
};

class UiServer {
 public:
  // Reads the page's files, makes the token and listens; starts no thread. Throws a usage error for a malformed address,
  // bad_input where the page is not there, a peer error where it cannot listen.
  UiServer(const Identity& identity, UiOptions options);
  ~UiServer();  // run() must have returned
  UiServer(const UiServer&) = delete;
  UiServer& operator=(const UiServer&) = delete;

  std::uint16_t port() const noexcept;
  // "http://127.0.0.1:PORT/TOKEN/". Whoever has it can use the page: for the user alone.
  std::string url() const;

  // Serves until stop(), which cancels a run at work. The destructor waits for its end.
  void run();
  // From any thread.
  void stop() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
