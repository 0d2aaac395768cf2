// The files of a model, and smpc-verify.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <unordered_map>

#include "deployment.h"
#include "smpc/base/file.h"
#include "smpc/runtime/schedule.h"

namespace smpc {
namespace {

using testing::demo;
using testing::Outcome;
using testing::run;
using testing::Deployment;
using testing::TemporaryFolder;

TEST(Files, StrippedAndWeightsJoinBackAndTheProgramIsServed) {
  const TemporaryFolder out;
  const Outcome compiled = run("smpc-compile", {(demo / "mlp.onnx").string(), "-o", (out / "build").string(), "--reveal", "logits"});
  ASSERT_EQ(compiled.exit_code, 0) << compiled.err;
  EXPECT_LT(std::filesystem::file_size(out / "build/mlp.stripped.onnx"), 10'000U);
  struct stat st {};
  ASSERT_EQ(::stat((out / "build/mlp.weights").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600);
  const Outcome joined = run("smpc-compile", {"--join", (out / "build/mlp.stripped.onnx").string(),
                                              (out / "build/mlp.weights").string(), "-o", (out / "back.onnx").string()});
  ASSERT_EQ(joined.exit_code, 0) << joined.err;
  EXPECT_EQ(read_file(out / "back.onnx"), read_file(demo / "mlp.onnx"));

  Deployment s({"--program", (out / "build/mlp.program").string(), "--weights", (out / "build/mlp.weights").string()});
  // What the program reveals counts, whoever compiled it.
  const Outcome unbounded = run("smpc-server", {"--program", (out / "build/mlp.program").string(), "--weights",
                                                (out / "build/mlp.weights").string(), "--quota", "9", "--identity",
                                                (s.folder / "id/server").string(), "--state", (out / "state").string()});
  EXPECT_EQ(unbounded.exit_code, 2);
  EXPECT_NE(unbounded.err.find("expected --quota-total N above 0, or --no-quota"), std::string::npos) << unbounded.err;
  s.server_options.insert(s.server_options.end(), {"--quota-total", "9"});
  s.start_dealer();
  s.start_server();
  const Outcome r = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.json()["results"][0]["label"], "LANG-BROCA");
  EXPECT_EQ(r.json()["program"], to_hex(sha256(read_file(out / "build/mlp.program"))));

  // Another program's weights are refused.
  ASSERT_EQ(run("smpc-compile", {(demo / "mlp.onnx").string(), "-o", (out / "other").string()}).exit_code, 0);
  const Outcome mixed = run("smpc-server", {"--program", (out / "other/mlp.program").string(), "--weights",
                                            (out / "build/mlp.weights").string(), "--identity",
                                            (s.folder / "id/server").string(), "--state", (out / "state").string()});
  EXPECT_EQ(mixed.exit_code, 3);
  EXPECT_NE(mixed.err.find("expected the weights of program"), std::string::npos) << mixed.err;
}

// Some neighbouring weights, in every encoding that this project has for one, by their first 8 bytes. Each is 16 bytes long
// or more: of 8, half can be zeros or signs, and then a scan of small numbers holds the rest by chance.
using Canaries = std::unordered_multimap<std::uint64_t, Bytes>;

template <class T, class Weights>
void add_canary(Canaries& canaries, const Weights& weights, std::size_t first) {
  std::array<T, sizeof(T) == 8 && std::is_integral_v<T> ? 4 : 16 / sizeof(T)> encoded{};
  for (T& e : encoded) e = static_cast<T>(weights[first++]);
  Bytes bytes(sizeof encoded);
  std::memcpy(bytes.data(), encoded.data(), sizeof encoded);
  std::uint64_t start = 0;
  std::memcpy(&start, encoded.data(), sizeof start);
  canaries.emplace(start, std::move(bytes));
}

Canaries canaries(const testing::Reference& reference) {
  Canaries out;
  std::size_t linear = 0;
  for (const Layer& layer : reference.network.layers) {
    const auto* affine = std::get_if<Affine>(&layer);
    if (affine == nullptr) continue;
    const auto& q = reference.compiled.weights[linear++].matrix;
    std::size_t taken = 0;
    for (std::size_t i = 0; i + 8 <= q.size() && taken < 1000; i += 7) {
      if (std::abs(q[i]) < 5000 || std::abs(q[i + 1]) < 5000) continue;
      add_canary<float>(out, affine->weights, i);
      add_canary<double>(out, affine->weights, i);
      add_canary<std::int16_t>(out, q, i);
      add_canary<std::int32_t>(out, q, i);
      add_canary<std::int64_t>(out, q, i);
      ++taken;
    }
  }
  return out;
}

// How many of the canaries stand somewhere, at any byte.
std::size_t found_in(ByteView bytes, const Canaries& wanted) {
  std::bitset<65536> likely;
  for (const auto& [start, canary] : wanted) likely.set(start & 65535);
  std::size_t found = 0;
  for (std::size_t i = 0; i + 8 <= bytes.size(); ++i) {
    std::uint64_t start = 0;
    std::memcpy(&start, bytes.data() + i, 8);
    if (!likely.test(start & 65535)) continue;
    const auto [from, to] = wanted.equal_range(start);
    found += static_cast<std::size_t>(std::count_if(from, to, [&](const auto& canary) {
      const Bytes& whole = canary.second;
      return whole.size() <= bytes.size() - i && std::memcmp(whole.data(), bytes.data() + i, whole.size()) == 0;
    }));
  }
  return found;
}
std::size_t found_in(const std::filesystem::path& file, const Canaries& wanted) { return found_in(read_file(file), wanted); }

// In all that a process can write, and in what it maps for itself alone. It stands still meanwhile.
std::size_t found_in_memory(int pid, const Canaries& wanted) {
  ::kill(pid, SIGSTOP);
  std::size_t found = 0;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream maps(folder + "/maps");
  std::ifstream memory(folder + "/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    char access[5] = {};
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, access) != 3 || access[0] != 'r') continue;
    Bytes bytes(to - from);
    memory.seekg(static_cast<std::streamoff>(from));
    memory.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, memory.gcount())));
    memory.clear();
    if (const std::size_t here = found_in(bytes, wanted); here > 0) {
      std::cout << here << " in " << line << "\n";
      found += here;
    }
  }
  ::kill(pid, SIGCONT);
  return found;
}

TEST(Files, NoWeightIsFoundWithAnyoneButItsOwner) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  ASSERT_EQ(s.client({"prefetch", "--count", "2"}).exit_code, 0);
  const Outcome r = s.client({"--image", (demo / "scan.nii.gz").string(), "--verbose"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  ASSERT_EQ(run("smpc-compile", {(demo / "mlp.onnx").string(), "-o", (s.folder / "build").string(), "--reveal", "logits"}).exit_code, 0);
  CompileOptions o;
  o.reveal = Reveal::logits;
  const auto wanted = canaries(testing::Reference(o));
  ASSERT_GT(wanted.size(), 1000U);
  EXPECT_GT(found_in(demo / "mlp.onnx", wanted), 1000U);  // where they are, they are found
  EXPECT_GT(found_in(s.folder / "build/mlp.weights", wanted), 1000U);
  std::vector<std::filesystem::path> files{s.folder / "dealer.log", s.folder / "server.log", s.folder / "build/mlp.program",
                                           s.folder / "build/mlp.stripped.onnx"};
  for (const char* state : {"state/dealer", "state/client", "state/server"}) {
    for (const auto& e : std::filesystem::recursive_directory_iterator(s.folder / state)) {
      if (e.is_regular_file() && std::filesystem::file_size(e) > 0) files.push_back(e.path());
    }
  }
  EXPECT_GE(files.size(), 8U);
  for (const auto& file : files) EXPECT_EQ(found_in(file, wanted), 0U) << file;
  for (const std::string& text : {r.out, r.err}) EXPECT_EQ(found_in(as_bytes(text), wanted), 0U) << text;
}

TEST(Files, NoWeightIsFoundInTheMemoryOfClientAndDealer) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  CompileOptions o;
  o.reveal = Reveal::logits;
  const auto wanted = canaries(testing::Reference(o));
  if (!std::ifstream("/proc/" + std::to_string(s.server->pid()) + "/mem")) {
    GTEST_SKIP() << "the tools close their memory to this user: run this test as root";
  }
  EXPECT_GT(found_in_memory(s.server->pid(), wanted), 1000U);  // where they are, they are found
  int looked = 0;
  std::size_t found = 0;
  std::chrono::steady_clock::time_point last;
  const auto look = [&](int pid) {  // while it downloads, takes bundles and asks
    const auto now = std::chrono::steady_clock::now();
    if (now - last < std::chrono::milliseconds(30)) return;
    // Between fork and exec it is a copy of this process, which knows the weights.
    std::error_code ended;
    const std::string program = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", ended).filename();
    if (program != "smpc-client") return;
    ++looked;
    found += found_in_memory(pid, wanted);
    last = std::chrono::steady_clock::now();
  };
  const Outcome r = s.run_client({"--image", (demo / "scan4d.nii.gz").string(), "--volume", "all"}, {.watch = look});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_GE(looked, 5);
  EXPECT_EQ(found, 0U);
  EXPECT_EQ(found_in_memory(s.dealer->pid(), wanted), 0U);
}

TEST(Files, ExplainSaysWhatARunCosts) {
  const Outcome r = run("smpc-compile", {(demo / "mlp.onnx").string(), "--explain", "--json", "--reveal", "logits",
                                         "--bandwidth", "100Mbps", "--latency", "20ms"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto j = r.json();
  CompileOptions o;
  o.reveal = Reveal::logits;
  const testing::Reference reference(o);
  const Cost cost = predicted_cost(make_schedule(reference.compiled.program, correlation_plan(reference.compiled.program), 1));
  EXPECT_EQ(j["online"]["client_to_server"], cost.client_to_server);
  EXPECT_EQ(j["online"]["server_to_client"], cost.server_to_client);
  EXPECT_EQ(j["online"]["messages"], cost.messages);
  EXPECT_EQ(j["line_seconds"].get<double>(),
            static_cast<double>(8 * (cost.client_to_server + cost.server_to_client)) / 1e8 + static_cast<double>(cost.messages) * 0.02);
  std::size_t up = 0;
  std::size_t down = 0;
  for (const auto& row : j["rows"]) {
    up += row["client_to_server"].get<std::size_t>();
    down += row["server_to_client"].get<std::size_t>();
  }
  EXPECT_EQ(up + down + cost.messages * 9, cost.client_to_server + cost.server_to_client);
  EXPECT_EQ(run("smpc-compile", {(demo / "mlp.onnx").string(), "--explain", "--bandwidth", "fast"}).exit_code, 2);
}

TEST(Files, VerifyFindsEveryBitEqual) {
  const Outcome r = run("smpc-verify", {"--model", (demo / "mlp.onnx").string(), "--image", (demo / "scan4d.nii.gz").string(),
                                        "--volume", "3", "--reveal", "logits", "--json"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto v = r.json()["volumes"][0];
  EXPECT_EQ(v["two_party_equal"], true);
  EXPECT_EQ(v["first_difference"], nullptr);
  EXPECT_EQ(v["layers"].size(), 7U);
  for (const auto& layer : v["layers"]) EXPECT_LE(layer["largest_error"].get<double>(), 1e-3) << layer;
  EXPECT_EQ(v["float_label"], v["fixed_label"]);
  EXPECT_LE(v["largest_probability_error"].get<double>(), 1e-4);
}

}  // namespace
}  // namespace smpc
