// A dealer, a server and a client's folders, on free ports, with certificates of their own.
#pragma once

#include <memory>

#include "support/process.h"

namespace smpc::testing {

class ThreeRoles {
 public:
  // `server_options`: beyond identity, state and ports.
  explicit ThreeRoles(std::vector<std::string> server_options);

  void start_dealer(const std::string& listen = "127.0.0.1:0");
  void start_server(bool wait_until_ready = true);
  // A tool's outcome with the client's folders and ports.
  Outcome run_client(std::vector<std::string> arguments, RunOptions options) const;
  std::string dealer_address() const { return "127.0.0.1:" + dealer_port; }

  TemporaryFolder folder;
  std::vector<std::string> server_options;
  std::vector<std::string> dealer_options{"--pool", "1"};
  Environment dealer_environment;
  Environment server_environment;
  std::optional<unsigned> daemons_cpu;  // the one processor that dealer and server may use
  std::unique_ptr<Daemon> dealer;
  std::unique_ptr<Daemon> server;
  std::string dealer_port;
  std::string server_port;
};

}  // namespace smpc::testing
