// The dealer: makes bundles for the programs that servers register, and hands each to one client, once.
//
//   server -- Register(program, mask id, key) --> dealer        before anything, and again and again
//   client -- Take(n) --> dealer -- n x (header, seed, corrections) --> client
//
// It sees neither weights nor volumes. Bundles wait in memory only; on disk it keeps registrations (with their keys) and the
// serials it has handed out. What a server registers is planned and bounded before it is stored (program_bounds.h); one that
// cannot be served stops no other.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "smpc/net/channel.h"
#include "smpc/net/identity.h"

namespace smpc {

using Log = std::function<void(const std::string&)>;

struct DealerOptions {
  std::string listen = "127.0.0.1:7100";
  std::filesystem::path state;
  std::size_t pool = 16;  // bundles kept ready per program
  std::size_t max_sessions = 64;
  std::size_t max_sessions_per_peer = 32;  // of one identity, client or server; 0: all
  std::filesystem::path allow;          // which clients may come in (allow_list.h); none: every one of the CA
  std::filesystem::path allow_servers;  // which servers may
  std::chrono::seconds drain{30};  // for bundles that are being handed out when it is stopped
  Log log = [](const std::string&) {};
};

class DealerService {
 public:
  DealerService(const Identity& identity, DealerOptions options);
  ~DealerService();
  std::uint16_t port() const noexcept;
  void run();               // until stop()
  // One session, as run() holds it, with a peer that somebody else has accepted and authenticated. Bundles are made while
  // run() is at work.
  void serve(Channel& channel, const PeerName& peer);
  // Ends sessions between two requests, and those that wait for bundles, at once, and others after DealerOptions::drain; a
  // second call ends them too.
  void stop() noexcept;
  // Reads the allow-list again; one that cannot be read is logged and changes nothing.
  void reload();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
