// A dealer, a server and a client's folders, on free ports, with certificates of their own.
#pragma once

#include <memory>
#include <optional>

#include "process.h"
#include "smpc/compiler/compile.h"
#include "smpc/image/scan.h"

namespace smpc::testing {

const std::filesystem::path demo = SMPC_DEMO_MODEL;

// The reference: the demo model compiled here, and interpreted in the clear.
struct Reference {
  explicit Reference(const CompileOptions& options);
  Network network;
  Compiled compiled;
  // The last tensor of a volume: logits, or one index.
  RingVector output(const SecretVector<double>& volume) const;
};

class Deployment {
 public:
  // `server_options`: beyond identity, state and ports.
  explicit Deployment(std::vector<std::string> server_options);

  void start_dealer(const std::string& listen = "127.0.0.1:0");
  void start_server(bool wait_until_ready = true);
  // smpc-client with its folders and ports. Of every --json inference the cost must be the predicted one, to the byte.
  Outcome client(std::vector<std::string> arguments, int seconds = 120) const;
  std::string dealer_address() const { return "127.0.0.1:" + dealer_port; }

  TemporaryFolder folder;
  std::vector<std::string> server_options;
  std::unique_ptr<Daemon> dealer;
  std::unique_ptr<Daemon> server;
  std::string dealer_port;
  std::string server_port;
  const Reference* reference = nullptr;  // what the server's program is; none: the demo model with default options
};

}  // namespace smpc::testing
