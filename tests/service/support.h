// Dealer, server and clients in one process, each with a state folder and a certificate of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "client_state.h"
#include "net/support.h"
#include "smpc/service/client.h"
#include "smpc/service/dealer.h"
#include "smpc/service/server.h"
#include "support/peak_memory.h"
#include "support/random_program.h"
#include "wire.h"

namespace smpc::testing {

namespace fs = std::filesystem;

// A model with two linear maps at least and a comparison between; the same on every call.
const RandomModel& model(Reveal reveal);
// The same program with one weight set to zero.
Weights other_weights(const RandomModel& m);

// A service that runs in its own thread until the end of the scope.
template <class Service>
class Running {
 public:
  explicit Running(std::unique_ptr<Service> service)
      : service_(std::move(service)), thread_([this] { service_->run(); }) {}
  ~Running() {
    stop();
    thread_.join();
  }
  void stop() {  // told once: a second time would cut what is in progress
    if (!std::exchange(told_, true)) service_->stop();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(service_->port()); }
  Service& service() { return *service_; }

 private:
  std::unique_ptr<Service> service_;
  bool told_ = false;
  std::thread thread_;
};

// A service of another's identity that lets clients in and then says nothing, until the end of the scope.
class SilentService {
 public:
  explicit SilentService(const Identity& identity) : listener_(identity, test::allowing({Role::client})) {
    thread_ = std::thread([this] {
      listener_.run([this](Channel&, const PeerName&) {
        came_.set_value();
        over_.get_future().wait();
      });
    });
  }
  ~SilentService() {
    over_.set_value();
    listener_.stop();
    thread_.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(listener_.port()); }
  void wait_for_a_client() { came_.get_future().wait(); }

 private:
  std::promise<void> came_;
  std::promise<void> over_;
  Listener listener_;
  std::thread thread_;
};

// A session with the server, hello received, spoken by hand.
struct RawSession {
  std::unique_ptr<Channel> channel;
  control::ServerHello hello;

  control::ClientRequest request() const;
  control::ClientRequest infer(const std::vector<Bytes>& headers) const;
  // None: READY.
  std::optional<control::Refusal> ask(const control::ClientRequest& request);
};

struct Limits {
  std::uint64_t quota = 0;
  std::uint64_t quota_total = 0;
  fs::path allow{};          // of dealer and server
  fs::path allow_servers{};  // of the dealer
  std::size_t max_sessions_per_peer = 0;  // of the server
  std::size_t max_sessions = 64;          // of the server
};

class World {
 public:
  explicit World(Reveal reveal = Reveal::label, Limits limits = {}) : World(model(reveal), limits) {}
  explicit World(RandomModel mlp, Limits limits = {});
  ~World() { expect_little_memory(); }  // all three parties together, whatever was done to them
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const RandomModel& mlp() const { return mlp_; }
  const Plan& plan() const { return plan_; }
  Identity& identity(const std::string& name, Role role);
  fs::path state(const std::string& name) const { return folder_.path() / name; }

  void start_dealer(const std::string& listen = "127.0.0.1:0");
  void stop_dealer() { dealer_.reset(); }
  std::vector<std::string> dealer_lines();  // its log
  void start_server(const std::string& listen = "127.0.0.1:0");  // waits until the dealer has registered it
  void stop_server() { server_.reset(); }
  // Tells the server to stop, calls `then`, and waits for the server's end.
  void stop_server_and(const std::function<void()>& then) {
    server_->stop();
    then();
    server_.reset();
  }
  void reload() {  // the allow-list
    dealer_->service().reload();
    server_->service().reload();
  }
  void restart_server() {
    stop_server();
    start_server();
  }
  void use_weights(Weights weights) { mlp_.weights = std::move(weights); }
  ServerService& server() { return server_->service(); }
  void use_model(RandomModel mlp) { mlp_ = std::move(mlp); }  // of the same correlations
  std::string dealer_address() const { return dealer_ ? dealer_->address() : last_dealer_; }
  std::string server_address() const { return server_ ? server_->address() : last_server_; }

  ClientOptions client_options(const std::string& name = "alice") const;
  std::unique_ptr<ClientService> client(const std::string& name = "alice");
  RawSession dial(const std::string& client = "alice");
  std::unique_ptr<Channel> dial_dealer(const std::string& client = "alice");  // its hello received

  // Fresh volumes, by a client of its own each time; every result must be the interpreter's, bit for bit.
  void expect_good(const std::string& name = "alice", std::size_t volumes = 1);
  std::vector<RingVector> volumes(std::size_t count);
  void expect_right(const std::vector<RingVector>& volumes, const std::vector<VolumeResult>& results) const;

  // The stored, unused bundles of a client, which must not be at work.
  std::vector<ClientBundle> stored(const std::string& name = "alice");
  // Takes `count` bundles and returns what is stored then.
  std::vector<ClientBundle> prefetched(const std::string& name, std::size_t count);

  std::int64_t serials_used() const;  // in the server's journal
  std::vector<std::string> server_lines();  // its log
  Key root_key() const;               // out of the server's state

 private:
  test::TemporaryFolder folder_;
  RandomModel mlp_;
  Plan plan_;
  Limits limits_;
  std::mt19937_64 rng_{7};
  std::mutex identities_mutex_;
  std::map<std::string, Identity> identities_;
  std::mutex lines_mutex_;
  std::vector<std::string> server_lines_;
  std::vector<std::string> dealer_lines_;
  std::unique_ptr<Running<DealerService>> dealer_;
  std::unique_ptr<Running<ServerService>> server_;
  std::string last_dealer_;
  std::string last_server_;
};

// The kind and words of the error that `f` throws.
struct Failure {
  ErrorKind kind;
  std::string text;
};
std::optional<Failure> failure_of(const std::function<void()>& f);

}  // namespace smpc::testing
