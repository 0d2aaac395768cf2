// What a server sends in a whole session, as it is before TLS: no weight stands in it, in any encoding.
#include <cstring>
#include <limits>
#include <set>

#include "server_state.h"
#include "service/recording_channel.h"
#include "service/support.h"
#include "smpc/correlation/dealer.h"
#include "smpc/runtime/two_party.h"

namespace smpc {
namespace {

using testing::RandomModel;
using testing::Record;
using testing::RecordedFrame;
using testing::RecordingChannel;

const PeerName peer{Role::client, "peer"};

// Weights of 25 bits and more, so that one is known wherever it stands. No ring holds what comes out; nobody looks at it.
RandomModel with_canaries(RandomModel m) {
  std::mt19937_64 rng(11);
  std::uniform_int_distribution<std::int32_t> size(1 << 24, std::numeric_limits<std::int32_t>::max());
  for (LinearWeights& w : m.weights) {
    WeightMatrix::Wide canaries(w.matrix.size());
    for (std::int32_t& c : canaries) c = rng() % 2 == 0 ? size(rng) : -size(rng);
    w.matrix = WeightMatrix(std::move(canaries));
  }
  return m;
}

template <class T>
std::string bytes_of(T value, bool reversed = false) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  if (reversed) std::reverse(out.begin(), out.end());
  return out;
}

// A weight as an integer either way round, as the number that it stands for, and in words.
std::vector<std::string> encodings(std::int32_t weight, int scale) {
  const double real = std::ldexp(static_cast<double>(weight), -scale);
  return {bytes_of(weight),
          bytes_of(weight, true),
          bytes_of(static_cast<float>(weight)),
          bytes_of(static_cast<float>(real)),
          bytes_of(real),
          std::to_string(weight)};
}

std::vector<std::string> canaries(const RandomModel& m) {
  std::vector<std::string> out;
  std::size_t linear = 0;
  for (std::size_t op = 0; op < m.program.ops.size(); ++op) {
    if (!std::holds_alternative<LinearOp>(m.program.ops[op].kind)) continue;
    const int scale = m.program.tensors[op + 1].scale - m.program.tensors[op].scale;
    const WeightMatrix& matrix = m.weights[linear++].matrix;
    WeightMatrix::Wide weights(matrix.size());
    matrix.read(0, weights);
    for (const std::int32_t w : weights) std::ranges::move(encodings(w, scale), std::back_inserter(out));
  }
  return out;
}

// A server with a state of its own.
class Server {
 public:
  explicit Server(const RandomModel& m)
      : mlp_(m), plan_(correlation_plan(m.program)), identity_(test::authority().identity(Role::server)) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.state = folder_.path() / "server";
    service_ = std::make_unique<ServerService>(identity_, m.program, m.weights, options);
    Database db(options.state / "server.db", "");
    Statement row = db.prepare("SELECT root_key FROM server");
    EXPECT_TRUE(row.step());
    const Bytes bytes = row.blob(0);
    root_ = Key{ByteView(bytes).first<32>()};
  }

  // The payloads of all frames that it sends in a session in which all there is is asked for.
  std::vector<std::string> frames_of_a_session() {
    const auto record = std::make_shared<Record>();
    RecordingChannel to_client(record, true);
    RecordingChannel to_server(record, false);
    {
      const std::jthread serving([&] { service_->serve(to_client, peer); });
      ask_for_all(to_server);
    }
    std::vector<std::string> out;
    for (const RecordedFrame& f : record->frames()) {
      if (f.from_first) out.push_back(text_of(f.payload));
    }
    return out;
  }

 private:
  void ask_for_all(Channel& channel) {
    const auto hello = receive_control<control::ServerHello>(channel);
    control::ClientRequest request;
    request.set_version(protocol_version);
    request.mutable_fetch_program();
    send_control(channel, request);
    expect_ready(channel, "the server");
    channel.receive_up_to(FrameType::bulk, hello.program_bytes());
    request.mutable_fetch_weights();
    send_control(channel, request);
    expect_ready(channel, "the server");
    Bytes masked;
    while (masked.size() < hello.masked_bytes()) {
      const Bytes row = channel.receive_up_to(FrameType::bulk, hello.masked_bytes());
      masked.insert(masked.end(), row.begin(), row.end());
    }
    channel.receive_up_to(FrameType::bulk, 32);

    BundleHeader header;
    header.instance = array_of<16>(hello.instance(), "instance");
    header.epoch = hello.epoch();
    header.client = peer.uri();
    header.program = array_of<32>(hello.program(), "program");
    header.mask = array_of<32>(hello.mask(), "mask");
    header.expiry = std::time(nullptr) + 1000;
    os_random(header.serial);
    const Key shared = program_key(root_, header.program, header.mask);
    std::vector<BundleSeeds> seeds{{server_seed(header, shared), random_key()}};
    std::vector<ClientMaterial> bundle{{seeds[0].client, make_corrections(plan_, mask_key(shared), seeds)[0]}};
    finish_corrections(plan_, masked, bundle);
    auto& infer = *request.mutable_infer();
    infer.set_program(hello.program());
    infer.set_mask(hello.mask());
    infer.set_reveal(hello.reveal());
    infer.add_bundles(text_of(encode(header, shared)));
    send_control(channel, request);
    expect_ready(channel, "the server");
    const Schedule schedule = make_schedule(mlp_.program, plan_, 1);
    const auto source = client_source(plan_, std::move(bundle));
    PartyRun::client(mlp_.program, plan_, schedule, *source, RingVector(mlp_.program.input().count)).execute(channel);
    request.mutable_done();
    send_control(channel, request);
  }

  const RandomModel& mlp_;
  Plan plan_;
  Identity identity_;
  test::TemporaryFolder folder_;
  Key root_;
  std::unique_ptr<ServerService> service_;
};

std::set<std::string> found_in(const std::vector<std::string>& frames, const std::vector<std::string>& wanted) {
  std::set<std::string> out;
  for (const std::string& frame : frames) {
    for (const std::string& w : wanted) {
      if (frame.find(w) != frame.npos) out.insert(w);
    }
  }
  return out;
}

// By chance a canary of four bytes stands in random bytes once in some hundred sessions: but not in those of two servers.
TEST(Canary, NoWeightStandsInAFrameOfTheServer) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    const RandomModel m = with_canaries(testing::model(reveal));
    const auto wanted = canaries(m);
    ASSERT_GT(wanted.size(), 1000U);
    const auto frames = Server(m).frames_of_a_session();
    ASSERT_GT(frames.size(), 10U);
    const auto found = found_in(frames, wanted);
    if (!found.empty()) {
      const auto again = found_in(Server(m).frames_of_a_session(), wanted);
      for (const std::string& w : found) EXPECT_FALSE(again.contains(w)) << "a weight: " << to_hex(as_bytes(w));
    }
    for (const std::string& w : wanted) ASSERT_TRUE(found_in({"where it stands " + w + " it is found"}, {w}).contains(w));
  }
}

}  // namespace
}  // namespace smpc
