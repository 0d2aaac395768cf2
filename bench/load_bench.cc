// Many clients at once, each with an identity and a state folder of its own: that no result is wrong, that nothing grows,
// and what a client beyond the cap is told. Real daemons; the clients are threads of this process.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "machine.h"
#include "memory.h"
#include "setup.h"
#include "smpc/net/certs.h"
#include "smpc/net/identity.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/service/client.h"
#include "support/sample_files.h"

namespace smpc::bench {
namespace {

using namespace std::chrono_literals;

struct Arguments {
  std::string demo;
  std::size_t clients = 64;
  std::size_t inferences = 10'000;
  std::size_t demo_inferences = 200;
  std::size_t cap = 64;
};

constexpr testing::Shape small_image{8, 8, 8};
constexpr std::size_t most_bundles = 32;  // that a client takes at a time

// ---------------------------------------------------------------- the clients

struct Outcomes {
  std::map<std::string, std::vector<double>> seconds;  // by phase
  std::vector<std::string> failures;
  std::size_t wrong = 0;
  std::size_t right = 0;
};

// Seconds of each phase of the calls of one client, from what it tells.
class PhaseClock {
 public:
  void operator()(const ClientProgress& p) {
    const std::string_view name = to_text(p.phase);
    if (name == phase_) return;
    end();
    phase_ = name;
    since_ = seconds_now();
  }
  void end() {
    if (!phase_.empty()) seconds[std::string(phase_)].push_back(seconds_now() - since_);
    phase_ = {};
  }
  std::map<std::string, std::vector<double>> seconds;

 private:
  std::string_view phase_;
  double since_ = 0;
};

// A deployment with many clients, and the reference for what they must learn.
class Crowd {
 public:
  Crowd(const std::string& model, std::size_t clients, std::size_t cap)
      : deployment_({"--model", model, "--reveal", "logits", "--no-quota", "--max-sessions", std::to_string(cap)}),
        reference_(compile_model(model, Reveal::logits)) {
    deployment_.daemons_cpu.reset();
    deployment_.dealer_options = {"--max-sessions", std::to_string(clients + 8)};
    deployment_.start();
    const auto id = deployment_.folder / "id";
    for (std::size_t k = 0; k < clients; ++k) {
      const std::string name = "load-" + std::to_string(k);
      const CertificateRequest request{PeerName{Role::client, name}, {"localhost"}, {}};
      issue_certificate(id, request, id / name);
      identities_.push_back(Identity::load(id / name, Role::client));
    }
    // One client downloads the masked weights, and the others' folders share its file.
    const auto first = state(0) / "masked";
    {
      ClientService service(identities_[0], options(0));
      service.connect();
      service.prefetch(1);
      service.disconnect();
    }
    for (std::size_t k = 1; k < clients; ++k) {
      std::filesystem::create_directories(state(k) / "masked");
      std::filesystem::permissions(state(k), std::filesystem::perms::owner_all);
      for (const auto& file : std::filesystem::directory_iterator(first)) {
        std::filesystem::create_hard_link(file.path(), state(k) / "masked" / file.path().filename());
      }
    }
  }

  ClientOptions options(std::size_t client) const {
    ClientOptions o;
    o.server = "127.0.0.1:" + deployment_.server_port;
    o.dealer = deployment_.dealer_address();
    o.state = state(client);
    return o;
  }
  std::filesystem::path state(std::size_t client) const {
    return deployment_.folder / "state" / ("load-" + std::to_string(client));
  }

  // A volume that no other inference asks about.
  RingVector volume(std::size_t number) const {
    const Program& p = reference_.program;
    std::minstd_rand random(static_cast<unsigned>(number + 1));
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::vector<double> values(p.input().count);
    for (double& v : values) v = uniform(random);
    return quantise(p, values, "volume " + std::to_string(number));
  }
  bool is_right(const VolumeResult& found, const RingVector& volume) const {
    const auto tensors = interpret(reference_.program, reference_.weights, volume);
    return found.logits == dequantise(reference_.program.output(), tensors.back());
  }

  // Every client comes, does something and leaves; so many at a time.
  void each(std::size_t at_once, const std::function<void(ClientService&)>& body) const {
    std::atomic<std::size_t> next = 0;
    std::vector<std::future<void>> threads;
    for (std::size_t t = 0; t < at_once; ++t) {
      threads.push_back(std::async(std::launch::async, [&] {
        for (std::size_t k = next++; k < size(); k = next++) {
          ClientService service(identity(k), options(k));
          service.connect();
          body(service);
          service.disconnect();
        }
      }));
    }
    for (auto& t : threads) t.get();
  }

  const Deployment& deployment() const { return deployment_; }
  const Identity& identity(std::size_t client) const { return identities_[client]; }
  std::size_t size() const { return identities_.size(); }

 private:
  Deployment deployment_;
  Compiled reference_;
  std::vector<Identity> identities_;
};

// ---------------------------------------------------------------- what grows

std::size_t open_descriptors(int pid) {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& d : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) ++n;
  return n;
}

// Memory of a daemon while a part of the work is done, and its descriptors at rest, before and after.
class Growth {
 public:
  Growth(std::string name, int pid) : name_(std::move(name)), pid_(pid), descriptors_before_(open_descriptors(pid)) {}
  void sample(double progress) { samples_.emplace_back(progress, static_cast<double>(resident(pid_).total)); }
  // Sessions end a moment after their clients have left.
  void at_rest() {
    for (int i = 0; i < 100; ++i) {
      descriptors_after_ = open_descriptors(pid_);
      if (descriptors_after_ <= descriptors_before_) return;
      std::this_thread::sleep_for(100ms);
    }
  }
  // The middle of what was seen between two points of the work.
  double memory(double from, double to) const {
    std::vector<double> seen;
    for (const auto& [progress, bytes] : samples_) {
      if (progress >= from && progress <= to) seen.push_back(bytes);
    }
    return seen.empty() ? 0 : summary(seen).median;
  }
  double early() const { return memory(0.2, 0.4); }
  double late() const { return memory(0.8, 1.0); }
  double most() const {
    double m = 0;
    for (const auto& [progress, bytes] : samples_) m = std::max(m, bytes);
    return m;
  }
  bool flat() const { return late() <= 1.05 * early() + 4e6 && descriptors_after_ <= descriptors_before_; }
  std::size_t descriptors_before() const { return descriptors_before_; }
  std::size_t descriptors_after() const { return descriptors_after_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int pid_;
  std::size_t descriptors_before_;
  std::size_t descriptors_after_ = 0;
  std::vector<std::pair<double, double>> samples_;
};

double percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(p * static_cast<double>(values.size())))];
}

// ---------------------------------------------------------------- load

// One inference as smpc-client does it: comes, takes bundles where none is left, asks, leaves.
void one_inference(const Crowd& crowd, std::size_t client, std::size_t number, std::size_t bundles, PhaseClock& clock,
                   Outcomes& outcomes) {
  const double start = seconds_now();
  ClientOptions options = crowd.options(client);
  options.progress = std::ref(clock);
  ClientService service(crowd.identity(client), std::move(options));
  service.connect();
  if (service.bundles() == 0) service.prefetch(bundles);
  const RingVector volume = crowd.volume(number);
  const auto results = service.infer(std::vector<RingVector>{volume});
  clock.end();
  outcomes.seconds["all"].push_back(seconds_now() - start);
  ++(crowd.is_right(results.front(), volume) ? outcomes.right : outcomes.wrong);
}

struct LoadRun {
  Outcomes outcomes;
  std::vector<Growth> growth;
  double seconds = 0;
  bool well() const {
    return outcomes.wrong == 0 && outcomes.failures.empty() &&
           std::all_of(growth.begin(), growth.end(), [](const Growth& g) { return g.flat(); });
  }
};

LoadRun load(const Crowd& crowd, std::size_t inferences) {
  LoadRun run;
  run.growth.emplace_back("server", crowd.deployment().server->pid());
  run.growth.emplace_back("dealer", crowd.deployment().dealer->pid());
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> finished = 0;
  std::mutex mutex;
  const std::size_t each = (inferences + crowd.size() - 1) / crowd.size();
  const auto client = [&](std::size_t k) {
    Outcomes mine;
    PhaseClock clock;
    for (std::size_t number = next++; number < inferences; number = next++) {
      try {
        one_inference(crowd, k, number, std::min(each, most_bundles), clock, mine);
      } catch (const std::exception& e) {
        mine.failures.emplace_back(e.what());
      }
      ++finished;
    }
    const std::scoped_lock guard(mutex);
    run.outcomes.right += mine.right;
    run.outcomes.wrong += mine.wrong;
    run.outcomes.failures.insert(run.outcomes.failures.end(), mine.failures.begin(), mine.failures.end());
    for (auto* seconds : {&mine.seconds, &clock.seconds}) {
      for (auto& [phase, values] : *seconds) {
        auto& all = run.outcomes.seconds[phase];
        all.insert(all.end(), values.begin(), values.end());
      }
    }
  };
  const double start = seconds_now();
  std::vector<std::jthread> clients;
  for (std::size_t k = 0; k < crowd.size(); ++k) clients.emplace_back(client, k);
  while (finished < inferences) {
    for (Growth& g : run.growth) g.sample(static_cast<double>(finished) / static_cast<double>(inferences));
    std::this_thread::sleep_for(20ms);
  }
  clients.clear();
  run.seconds = seconds_now() - start;
  for (Growth& g : run.growth) g.at_rest();
  return run;
}

void print(const std::string& title, std::size_t clients, const LoadRun& run) {
  const Outcomes& o = run.outcomes;
  std::cout << "\n## " << title << "\n\n"
            << clients << " clients at once, " << o.right + o.wrong + o.failures.size() << " inferences in "
            << text_of("%.1f s", run.seconds) << ": " << o.right << " right, " << o.wrong << " wrong, " << o.failures.size()
            << " without a result\n";
  const std::set<std::string> kinds(o.failures.begin(), o.failures.end());
  for (const std::string& f : kinds) std::cout << "  " << f << "\n";
  std::cout << "\n" << row({"phase", "times", "p50", "p95", "p99"}) << repeated_dashes(5);
  for (const auto& [phase, seconds] : o.seconds) {
    std::vector<std::string> cells{phase, std::to_string(seconds.size())};
    for (const double p : {0.50, 0.95, 0.99}) cells.push_back(text_of("%.1f ms", 1e3 * percentile(seconds, p)));
    std::cout << row(cells);
  }
  std::cout << "\n"
            << row({"daemon", "memory early", "memory late", "most", "descriptors before", "descriptors after", "flat"})
            << repeated_dashes(7);
  for (const Growth& g : run.growth) {
    std::cout << row({g.name(), mega(g.early()), mega(g.late()), mega(g.most()), std::to_string(g.descriptors_before()),
                      std::to_string(g.descriptors_after()), g.flat() ? "yes" : "**no**"});
  }
}

// ---------------------------------------------------------------- overload

struct Overload {
  std::size_t asked = 0;
  std::size_t admitted = 0;
  std::size_t right = 0;
  std::size_t refused = 0;                     // in the server's words
  std::map<std::string, std::size_t> unclear;  // any other end
  bool kept = true;                            // no refused client lost a bundle
  bool served_afterwards = false;
  bool well(std::size_t cap) const {
    return admitted == cap && right == admitted && refused == asked - admitted && unclear.empty() && kept && served_afterwards;
  }
};

// Everybody comes at the same moment, and whoever is let in stays until everybody has an answer; then they ask.
Overload overload(const Crowd& crowd) {
  crowd.each(8, [](ClientService& service) { service.prefetch(1); });
  Overload o;
  o.asked = crowd.size();
  std::mutex mutex;
  std::barrier together(static_cast<std::ptrdiff_t>(crowd.size()));
  const auto client = [&](std::size_t k) {
    ClientService service(crowd.identity(k), crowd.options(k));
    bool in = false;
    std::string why;
    together.arrive_and_wait();
    try {
      service.connect();
      in = true;
    } catch (const std::exception& e) {
      why = e.what();
    }
    together.arrive_and_wait();
    bool right = false;
    if (in) {
      try {
        const RingVector volume = crowd.volume(k);
        right = crowd.is_right(service.infer(std::vector<RingVector>{volume}).front(), volume);
      } catch (const std::exception& e) {
        why = e.what();
      }
    }
    const std::scoped_lock guard(mutex);
    o.admitted += in;
    o.right += right;
    if (!why.empty()) {
      if (why.ends_with("sessions are taken; try again later")) {
        ++o.refused;
      } else {
        ++o.unclear[why];
      }
    }
  };
  {
    std::vector<std::jthread> clients;
    for (std::size_t k = 0; k < crowd.size(); ++k) clients.emplace_back(client, k);
  }
  // Those who were refused have their bundle still.
  std::atomic<std::size_t> bundles = 0;
  crowd.each(8, [&](ClientService& service) { bundles += service.bundles(); });
  o.kept = bundles == o.asked - o.admitted;
  const RingVector volume = crowd.volume(crowd.size());
  ClientService service(crowd.identity(0), crowd.options(0));
  service.connect();
  o.served_afterwards = crowd.is_right(service.infer(std::vector<RingVector>{volume}).front(), volume);
  return o;
}

void print(const Overload& o, std::size_t cap) {
  std::cout << "\n## Overload\n\n"
            << o.asked << " clients at the same moment, a server of at most " << cap << " sessions: " << o.admitted
            << " let in, of whom " << o.right << " learned the right result; " << o.refused
            << " told that all sessions are taken; " << o.asked - o.admitted - o.refused << " ended otherwise\n";
  for (const auto& [why, times] : o.unclear) std::cout << "  " << times << " x " << why << "\n";
  std::cout << "bundles of those refused are all there: " << (o.kept ? "yes" : "**no**")
            << "; served afterwards: " << (o.served_afterwards ? "yes" : "**no**") << "\n";
}

// ----------------------------------------------------------------

void bench(const Arguments& a) {
  bool well = true;
  std::cout << describe_machine();
  const TemporaryFolder folder;
  const std::string small = (folder / "small.onnx").string();
  testing::write_random_mlp(small, small_image, {64, 32, 10});
  const auto part = [&](const std::string& title, const std::string& model, std::size_t inferences) {
    if (inferences == 0) return;
    const Crowd crowd(model, a.clients, a.clients);
    const LoadRun run = load(crowd, inferences);
    well = well && run.well();
    print(title, a.clients, run);
  };
  part("A small MLP (512-64-32-10)", small, a.inferences);
  if (a.demo_inferences > 0) {
    part("The demo model (109,350-200-200-200-58)", demo_files(a.demo).model(), a.demo_inferences);
  }
  if (a.cap > 0) {
    const Overload o = overload(Crowd(small, 10 * a.cap, a.cap));
    well = well && o.well(a.cap);
    print(o, a.cap);
  }
  if (!well) throw std::runtime_error("expected right results, flat memory and clear refusals, found what is printed above");
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  CLI::App app("Many clients at once: right results, flat memory, times, and what clients beyond the cap are told. Exit code 1 "
               "unless all is as it should be.",
               "smpc_bench_load");
  smpc::bench::Arguments a;
  app.add_option("--demo", a.demo, "folder of smpc-demo-model's files (default: made once in the build folder)");
  app.add_option("--clients", a.clients, "at once, each with an identity of its own")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--inferences", a.inferences, "of a small MLP; 0 leaves them out")->capture_default_str();
  app.add_option("--demo-inferences", a.demo_inferences, "of the demo model; 0 leaves them out")->capture_default_str();
  app.add_option("--cap", a.cap, "sessions that the server takes; ten times as many clients come at once; 0 leaves that out")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] { smpc::bench::bench(a); });
}
