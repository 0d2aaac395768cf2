// smpc_relay: the relay as a small tool.
#include <csignal>
#include <iostream>

#include "relay.h"
#include "setup.h"

int main(int argc, char** argv) {
  CLI::App app("Passes TCP connections on to TARGET over a line of given bandwidth and latency, until SIGINT or SIGTERM.",
               "smpc_relay");
  std::string target;
  double mbit = 100;
  double ms = 20;
  std::uint16_t port = 0;
  app.add_option("target", target, "ADDRESS:PORT to connect to (IPv4)")->required();
  app.add_option("--port", port, "of 127.0.0.1, to listen on; 0 picks a free one")->capture_default_str();
  app.add_option("--mbit", mbit, "bandwidth of each direction, Mbit/s; 0: no limit")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--ms", ms, "latency one way, ms")->check(CLI::NonNegativeNumber)->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, nullptr);
    const smpc::bench::Relay relay(target, {mbit * 1e6, ms / 1e3}, port);
    std::cout << "listening on port " << relay.port() << std::endl;
    int signal = 0;
    sigwait(&stop, &signal);
  });
}
