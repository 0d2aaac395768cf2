#include "faults/world.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include "smpc/model/model.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/interpreter.h"
#include "support/sample_files.h"

namespace smpc::faults {
namespace {

namespace fs = std::filesystem;
using Ids = std::multiset<std::string>;

constexpr testing::Shape image{5, 4, 3};
constexpr std::size_t scans = 3;

Ids ids(const fs::path& database, const std::string& query) {
  Ids out;
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK) << database;
  sqlite3_stmt* rows = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, query.c_str(), -1, &rows, nullptr), SQLITE_OK) << query << ": " << sqlite3_errmsg(db);
  while (sqlite3_step(rows) == SQLITE_ROW) {
    out.emplace(static_cast<const char*>(sqlite3_column_blob(rows, 0)), static_cast<std::size_t>(sqlite3_column_bytes(rows, 0)));
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  return out;
}

bool within(const Ids& some, const Ids& all) { return std::includes(all.begin(), all.end(), some.begin(), some.end()); }

// The frames of one direction of one connection, taken apart as they come.
struct Stream {
  std::string bytes;
  template <class F>
  void take(const std::string& more, F&& frame) {
    bytes += more;
    while (bytes.size() >= frame_header_bytes) {
      std::uint64_t length = 0;
      for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{static_cast<std::uint8_t>(bytes[1 + i])} << (8 * i);
      if (bytes.size() - frame_header_bytes < length) return;
      frame(static_cast<FrameType>(bytes[0]), bytes.substr(frame_header_bytes, length));
      bytes.erase(0, frame_header_bytes + length);
    }
  }
};

// Calls f(bundle) for every bundle that a data frame was sent under: a run's bundles stand in the request before it.
template <class F>
void sent_bundles(const fs::path& trace, bool client, const Ids& issued, F&& f) {
  std::ifstream in(trace, std::ios::binary);
  struct Connection {
    Stream streams[2];
    std::vector<std::string> bundles;
  };
  std::map<std::uint64_t, Connection> connections;
  const auto number = [&](std::streamsize bytes) {
    std::uint64_t value = 0;
    in.read(reinterpret_cast<char*>(&value), bytes);
    return value;
  };
  while (in.peek() != std::ifstream::traits_type::eof()) {
    const bool received = number(1) == 1;
    Connection& c = connections[number(8)];
    std::string bytes(number(4), '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!in) return;  // cut by the end of the process
    const bool request = received != client;
    c.streams[received ? 1 : 0].take(bytes, [&](FrameType type, const std::string& payload) {
      if (type == FrameType::control && request) {
        c.bundles.clear();
        for (const std::string& id : issued) {
          if (payload.find(id) != payload.npos) c.bundles.push_back(id);
        }
      } else if (type == FrameType::data && !received) {
        for (const std::string& id : c.bundles) f(id);
        c.bundles.clear();  // counted
      }
    });
  }
}

}  // namespace

World::World() : ThreeRoles({}) {
  const fs::path model = folder / "model.onnx";
  testing::write_random_mlp(model, image, {9, 7, 5});
  std::vector<std::vector<float>> volumes;
  for (std::size_t v = 0; v < scans; ++v) {
    volumes.push_back(testing::random_volume(image));
    for (std::size_t i = 0; i < volumes[v].size(); ++i) volumes[v][i] *= i % 3 == v ? 30.0F : 1.0F;
  }
  testing::write_scan(scan(), image, volumes, scans);
  server_options = {"--model", model.string()};
  Model loaded = load_model(model);
  const auto metadata = loaded.metadata;
  const Compiled compiled = compile(build_network(std::move(loaded)), {}, metadata);
  for (const auto& volume : load_scan(scan(), {.all = true, .index = {}}).volumes) {
    const RingVector input = quantise(compiled.program, volume, "the scan");
    labels_.push_back(compiled.program.labels.at(interpret(compiled.program, compiled.weights, input).back().front()));
  }
}

void World::start() {
  dealer_environment = traced("dealer");
  server_environment = traced("server");
  start_dealer();
  start_server();
}

bool World::start_with(const std::string& role, const Environment& what, int seconds) {
  dealer_environment = role == "dealer" ? fault(role, what) : traced("dealer");
  server_environment = role == "server" ? fault(role, what) : traced("server");
  try {
    start_dealer();
    start_server(false);
  } catch (const std::runtime_error&) {  // ended before it listened
    return false;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < deadline) {
    if (server->log().find("smpc-server ready") != std::string::npos) return true;
    for (const testing::Daemon* daemon : {dealer.get(), server.get()}) {
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(daemon->pid()), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid != 0) return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void World::end() {
  server.reset();
  dealer.reset();
}

void World::expect_good_afterwards() {
  end();
  start();
  expect_good();
  end();
}

void World::forget_state() { fs::remove_all(folder / "state"); }

Environment World::fault(const std::string& role, const Environment& what) const {
  Environment out = traced(role);
  out.emplace_back("SMPC_FAULT_STATE", state(role).string());
  out.insert(out.end(), what.begin(), what.end());
  return out;
}

Environment World::traced(const std::string& role) const {
  return {{"LD_PRELOAD", SMPC_INTERPOSER}, {"SMPC_FAULT_TRACE", (folder / (role + ".trace")).string()}};
}

Outcome World::ask(std::size_t volumes, const Environment& environment, std::vector<std::string> more) const {
  std::vector<std::string> arguments{"--image", scan().string(), "--json"};
  if (volumes == 1) arguments.insert(arguments.end(), {"--volume", "0"});
  if (volumes > 1) arguments.insert(arguments.end(), {"--volume", "all"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_client(arguments, {.environment = environment.empty() ? traced("client") : environment});
}

void World::expect_good(std::size_t volumes) {
  SCOPED_TRACE("a good inference");
  const Outcome o = ask(volumes);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  const auto results = o.json()["results"];
  ASSERT_EQ(results.size(), volumes == 1 ? 1 : scans);
  for (std::size_t v = 0; v < results.size(); ++v) EXPECT_EQ(results[v]["label"], labels_[v]) << "volume " << v;
  expect_balanced();
  expect_each_bundle_sent_once();
}

void World::expect_balanced() const {
  for (const std::string role : {"server", "client"}) {
    const Outcome o = testing::run("smpc-" + role, {"audit", "verify", "--json", "--state", state(role).string()}, 60);
    EXPECT_EQ(o.exit_code, 0) << o.err;
    if (o.exit_code == 0) {
      EXPECT_GT(o.json()["completed"], 0) << role;
    }
  }
  const Ids issued = ids(state("dealer") / "dealer.db", "SELECT serial FROM issued");
  const Ids available = ids(state("client") / "client.db", "SELECT serial FROM bundles WHERE state = 0");
  const Ids spent = ids(state("client") / "client.db", "SELECT serial FROM bundles WHERE state = 1");
  const Ids used = ids(state("server") / "server.db", "SELECT serial FROM used");
  const Ids keys = ids(state("client") / "client.db", "SELECT serial FROM keys");
  EXPECT_EQ(std::set<std::string>(issued.begin(), issued.end()).size(), issued.size()) << "a serial was issued twice";
  EXPECT_TRUE(within(used, spent)) << "the server used what the client has not spent";
  EXPECT_TRUE(within(spent, issued));
  EXPECT_TRUE(within(available, issued));
  EXPECT_EQ(keys, available) << "only what is unspent has a key";
  Ids both;
  std::set_intersection(available.begin(), available.end(), spent.begin(), spent.end(), std::inserter(both, both.end()));
  EXPECT_TRUE(both.empty());
  // Burned: spent by an inference that the server did not record, or lost on the way to the client.
  const std::size_t burned = (spent.size() - used.size()) + (issued.size() - spent.size() - available.size());
  EXPECT_EQ(issued.size(), available.size() + used.size() + burned);
}

std::size_t World::spent() const {
  return ids(state("client") / "client.db", "SELECT serial FROM bundles WHERE state = 1").size();
}

void World::expect_each_bundle_sent_once() const {
  const Ids issued = ids(state("dealer") / "dealer.db", "SELECT serial FROM issued");
  const Ids used = ids(state("server") / "server.db", "SELECT serial FROM used");
  for (const std::string role : {"client", "server"}) {
    Ids sent;
    for (const auto& entry : fs::directory_iterator(folder / ".")) {
      if (entry.path().filename().string().rfind(role + ".trace.", 0) == 0) {
        sent_bundles(entry.path(), role == "client", issued, [&](const std::string& id) { sent.insert(id); });
      }
    }
    if (role == "client") {
      const Ids spent = ids(state("client") / "client.db", "SELECT serial FROM bundles WHERE state = 1");
      EXPECT_TRUE(within(sent, spent)) << "the client sent under a bundle that it has not spent";
    }
    for (const std::string& id : sent) EXPECT_EQ(sent.count(id), 1U) << role << " sent twice under one bundle";
    if (role == "server") {
      EXPECT_TRUE(within(sent, used)) << "the server sent what its journal does not hold";
    }
  }
}

void expect_refused(const Outcome& o, int exit_code, const std::vector<std::string>& words) {
  EXPECT_EQ(o.exit_code, exit_code) << o.err;
  EXPECT_EQ(o.out, "");
  EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
  for (const std::string& w : words) EXPECT_NE(o.err.find(w), o.err.npos) << "'" << w << "' in: " << o.err;
}

}  // namespace smpc::faults
