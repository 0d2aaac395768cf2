// smpc-dealer: makes correlated randomness.
#include "common.h"
#include "smpc/service/dealer.h"

int main(int argc, char** argv) {
  using namespace smpc;
  using namespace smpc::tools;
  CLI::App app(
      "Makes the correlated randomness that secure inferences use up. Servers register their programs, clients take "
      "bundles, one a volume. It needs no model and sees no volume. Runs until SIGTERM or Ctrl-C.",
      "smpc-dealer");
  DealerOptions options;
  Folders folders;
  app.add_option("--listen", options.listen, "where to listen; port 0 picks a free one")
      ->type_name("HOST:PORT")
      ->group("Peers")
      ->capture_default_str();
  add_folder_options(app, Role::dealer, folders);
  app.add_option("--pool", options.pool, "bundles kept ready in memory for each program; of large ones fewer, in 256 MiB together, or one")
      ->check(CLI::Range(0, 100000))
      ->group("Capacity")
      ->capture_default_str();
  add_daemon_options(app, "Capacity", options.allow, options.drain, options.max_sessions, options.max_sessions_per_peer);
  app.add_option("--allow-servers", options.allow_servers,
                 "file of the servers that may register programs, urn:smpc:server:NAME a line; read again on SIGHUP (default: "
                 "every server of the certificate authority)")
      ->type_name("FILE")
      ->group("Peers");
  app.footer("  smpc-dealer --listen 0.0.0.0:7100 --identity dealer-1\n"
             "      for servers and clients on other machines");
  return run_tool(app, argc, argv, [&] {
    const Identity identity = Identity::load(folders.identity, Role::dealer);
    options.state = folders.state;
    options.log = log_line;
    const HeldSignals signals;
    DealerService dealer(identity, options);
    log_line("smpc-dealer listening on port " + std::to_string(dealer.port()) + " as " + identity.name().uri());
    log_line("smpc-dealer ready");
    signals.serve([&] { dealer.run(); }, [&] { dealer.stop(); }, [&] { dealer.reload(); });
    log_line("smpc-dealer stopped");
  });
}
