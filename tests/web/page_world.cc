#include "web/page_world.h"

#include <cstdlib>
#include <random>

#include "smpc/runtime/interpreter.h"

namespace smpc::testing {
namespace {

void write(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

ListenerOptions for_clients(const std::string& address) {
  ListenerOptions options;
  options.listen = address;
  options.allowed = {Role::client};
  return options;
}

}  // namespace

RandomModel model_on_grid(Reveal reveal) {
  RandomModel m = model(reveal);
  Grid grid;
  grid.shape = {static_cast<std::uint32_t>(m.program.input().count), 1, 1};
  grid.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  m.program.grid = grid;
  return m;
}

PageWorld::PageWorld(RandomModel mlp, const std::function<void(UiOptions&)>& change) : world_(std::move(mlp)) {
  ::setenv("TMPDIR", temporary_.path().c_str(), 1);
  write(page_.path() / "index.html", "<!doctype html><title>page</title>");
  write(page_.path() / "assets" / "page.js", "export {};");
  UiOptions options;
  options.server = world_.server_address();
  options.dealer = world_.dealer_address();
  options.state = world_.state("alice");
  options.page = page_.path();
  if (change) change(options);
  server_ = std::make_unique<UiServer>(world_.identity("alice", Role::client), options);
  thread_ = std::thread([this] { server_->run(); });
}

PageWorld::~PageWorld() {
  stop();
  server_.reset();
  ::unsetenv("TMPDIR");
}

void PageWorld::stop() {
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

std::string PageWorld::token() const { return server_->url().substr(origin().size()); }

std::string PageWorld::head(const std::string& method, const std::string& target, const std::string& more) const {
  return method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port()) + "\r\n" + more;
}

HttpReply PageWorld::get(const std::string& path, const std::string& more) {
  RawHttp http(port());
  http.send(head("GET", token() + path, more) + "\r\n");
  return http.receive();
}

HttpReply PageWorld::post(const std::string& path, const std::string& body) {
  RawHttp http(port());
  http.send(head("POST", token() + path, "Origin: " + origin() + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") +
            "\r\n" + body);
  return http.receive();
}

nlohmann::json PageWorld::upload(const std::string& content, const std::string& name) {
  const HttpReply reply = post("api/scan?name=" + name, content);
  EXPECT_EQ(reply.status, 200U) << reply.body;
  return reply.json();
}

std::string PageWorld::start_run(const nlohmann::json& request) {
  const HttpReply reply = post("api/run", request.dump());
  EXPECT_EQ(reply.status, 202U) << reply.body;
  return reply.json().at("run");
}

std::vector<ServerEvent> PageWorld::events(const std::string& run) {
  const HttpReply reply = get("api/run/" + run + "/events");
  EXPECT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "text/event-stream");
  return parse_events(reply.body);
}

std::vector<double> PageWorld::voxels(std::size_t volumes) const {
  const TensorType& input = world_.mlp().program.input();
  std::mt19937_64 rng(11);
  std::vector<double> out;
  for (std::size_t v = 0; v < volumes; ++v) {
    const RingVector one = random_input(world_.mlp(), 1, rng);
    const std::vector<double> real = dequantise(input, one);
    out.insert(out.end(), real.begin(), real.end());
  }
  return out;
}

std::string PageWorld::scan(std::size_t volumes, bool flipped) const {
  NiftiSpec spec;
  const auto count = static_cast<std::int64_t>(world_.mlp().program.input().count);
  spec.dim = {volumes == 1 ? 3 : 4, count, 1, 1, static_cast<std::int64_t>(volumes), 1, 1, 1};
  spec.datatype = DT_FLOAT64;
  spec.bitpix = 64;
  std::vector<double> values = voxels(volumes);
  if (flipped) {
    spec.srow[0] = 4;
    spec.srow[3] = 90 - 4 * static_cast<double>(count - 1);
    for (auto at = values.begin(); at != values.end(); at += count) std::reverse(at, at + count);
  }
  return nifti_file(spec, values);
}

std::vector<RingVector> PageWorld::expected(std::size_t volumes) const {
  const RandomModel& m = world_.mlp();
  const std::vector<double> all = voxels(volumes);
  const std::size_t count = m.program.input().count;
  std::vector<RingVector> out;
  for (std::size_t v = 0; v < volumes; ++v) {
    const RingVector input = quantise(m.program, std::span(all).subspan(v * count, count), "a volume");
    out.push_back(interpret(m.program, m.weights, input).back());
  }
  return out;
}

bool PageWorld::state_is_free() {
  ClientOptions options;
  options.state = world_.state("alice");
  options.patience = std::chrono::milliseconds(0);
  const auto failure = failure_of([&] { ClientService(world_.identity("alice", Role::client), options); });
  if (!failure) return true;
  EXPECT_NE(failure->text.find("expected to use it alone"), std::string::npos) << failure->text;
  return false;
}

SilentServer::SilentServer(World& world, const std::string& address)
    : listener_(world.identity("server", Role::server), for_clients(address)), thread_([this] {
        listener_.run([this](Channel&, const PeerName&) {
          std::call_once(first_, [this] { came_.set_value(); });
          until_.wait();
        });
      }) {}

SilentServer::~SilentServer() {
  over_.set_value();
  listener_.stop();
  thread_.join();
}

}  // namespace smpc::testing
