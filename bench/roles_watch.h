// The memory of all three roles while a client runs: give it to Deployment::client by std::ref.
#pragma once

#include "memory.h"
#include "setup.h"

namespace smpc::bench {

struct RolesWatch {
  explicit RolesWatch(const Deployment& d) : server_pid(d.server->pid()), dealer_pid(d.dealer->pid()) {
    reset_peak(server_pid);
    reset_peak(dealer_pid);
  }
  void operator()(int pid) {
    client(pid);
    server(server_pid);
    dealer(dealer_pid);
  }
  int server_pid;
  int dealer_pid;
  MemoryWatch client;
  MemoryWatch server;
  MemoryWatch dealer;
};

}  // namespace smpc::bench
