// The server: holds a model's quantised weights, gives authenticated clients the program and the masked weights, and
// runs inferences with them.
//
//   server -- hello (program, mask id, policy) --> client
//   client -- fetch program / fetch weights from offset --> server
//   client -- infer (bundle headers) --> server -- READY --> client, then the program runs (runtime/two_party.h)
//
// It sees no volume: what a client sends is masked by what only the client has. Every bundle's serial is recorded,
// durably, before the server's first byte that depends on it, and refused ever after.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "smpc/net/channel.h"
#include "smpc/net/identity.h"
#include "smpc/program/weights.h"

namespace smpc {

struct ServerOptions {
  std::string listen = "127.0.0.1:7200";
  std::string dealer = "127.0.0.1:7100";
  std::filesystem::path state;
  std::size_t max_sessions = 64;
  std::size_t max_sessions_per_peer = 32;  // of one identity; 0: all
  std::uint64_t quota = 0;        // volumes per client identity, ever; 0: no limit
  std::uint64_t quota_total = 0;  // volumes in total, ever; 0: no limit
  std::filesystem::path allow;    // which clients may come in (allow_list.h); none: every one of the CA
  std::chrono::seconds drain{30};  // for inferences in progress when it is stopped
  // How often the dealer is told again what it was told, in case it has lost it.
  std::chrono::milliseconds register_again{30'000};
  std::function<void(const std::string&)> log = [](const std::string&) {};
  std::function<void()> on_ready = [] {};  // the dealer has registered the program, for the first time
};

class ServerService {
 public:
  ServerService(const Identity& identity, Program program, Weights weights, ServerOptions options);
  ~ServerService();
  std::uint16_t port() const noexcept;
  void run();            // until stop()
  // One session, as run() holds it, with a client that somebody else has accepted and authenticated. It waits for no
  // dealer.
  void serve(Channel& channel, const PeerName& peer);
  // Ends sessions between two requests at once, and others after ServerOptions::drain; a second call ends them too.
  void stop() noexcept;
  // Reads the allow-list again; one that cannot be read is logged and changes nothing.
  void reload();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// After a restore from a backup: raises the epoch of a server's state, so that every older bundle is refused.
std::uint64_t bump_epoch(const std::filesystem::path& state);

}  // namespace smpc
