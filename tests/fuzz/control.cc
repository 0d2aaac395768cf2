// Control messages: as every type of message that there is, and in whole sessions with a server and a dealer. The first
// byte chooses who listens; then frames: type, length (two bytes), payload.
//
// A client's request is completed before the server sees it: what stands empty (program, mask, policy) is filled in,
// and a bundle header that can be read gets a MAC that only the dealer can make. So the run behind the checks is
// reached too.
#include "fuzz/fuzz.h"
#include "fuzz/scratch.h"
#include "fuzz/small_run.h"
#include "fuzz/stream_channel.h"
#include "server_state.h"
#include "smpc/net/certs.h"
#include "smpc/service/dealer.h"
#include "smpc/service/server.h"
#include "wire.h"

namespace smpc::fuzz {
namespace {

const PeerName client_name{Role::client, "peer"};

const Identity& identity(Role role) {
  static const Scratch folder;
  static const auto make = [](Role r) {
    const auto out = folder.path() / std::string(role_name(r));
    issue_certificate(folder.path(), {{r, "one"}, {"localhost"}}, out);
    return Identity::load(out, r);
  };
  static const bool made = (make_ca(folder.path()), true);
  static const Identity server = make(Role::server);
  static const Identity dealer = make(Role::dealer);
  SMPC_CHECK(made);
  return role == Role::server ? server : dealer;
}

class Server {
 public:
  Server() : mlp_(small_model(0)), bytes_(encode(mlp_.program)) {
    { // Its own keys, which a dealer would have.
      const ServerState state(folder_.path() / "server");
      header_.instance = state.instance();
      header_.epoch = state.epoch();
      header_.mask = mask_id(state.id_key(), sha256(bytes_), mlp_.weights);
      shared_ = program_key(state.root_key(), sha256(bytes_), header_.mask);
    }
    header_.program = sha256(bytes_);
    header_.client = client_name.uri();
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.state = folder_.path() / "server";
    service_ = std::make_unique<ServerService>(identity(Role::server), mlp_.program, mlp_.weights, options);
  }

  void serve(Channel& channel) { service_->serve(channel, client_name); }

  // A request as an honest client could have sent it, where it is one at all.
  Bytes completed(ByteView payload) const {
    control::ClientRequest request;
    const bool parsed = request.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
    if (!parsed || !request.has_infer()) return {payload.begin(), payload.end()};
    control::Infer& infer = *request.mutable_infer();
    if (infer.program().empty()) infer.set_program(text_of(header_.program));
    if (infer.mask().empty()) infer.set_mask(text_of(header_.mask));
    if (infer.reveal().empty()) infer.set_reveal(std::string(to_text(mlp_.program.reveal)));
    for (std::string& bundle : *infer.mutable_bundles()) {
      refuses([&] { bundle = text_of(encode(filled(decode_bundle_header(as_bytes(bundle))), shared_)); });
    }
    const std::string text = request.SerializeAsString();
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }

 private:
  BundleHeader filled(BundleHeader h) const {
    if (h.instance == Instance{}) h.instance = header_.instance;
    if (h.epoch == 0) h.epoch = header_.epoch;
    if (h.client.empty()) h.client = header_.client;
    if (h.program == Digest{}) h.program = header_.program;
    if (h.mask == MaskId{}) h.mask = header_.mask;
    if (h.serial == Serial{}) os_random(h.serial);
    return h;
  }

  Scratch folder_;
  testing::RandomModel mlp_;
  Bytes bytes_;
  Key shared_;
  BundleHeader header_;
  std::unique_ptr<ServerService> service_;
};

// A dealer that knows no program, so that nobody waits for bundles: nobody makes any.
class Dealer {
 public:
  void serve(Channel& channel, const PeerName& peer) {
    if (!service_) start();
    service_->serve(channel, peer);
    if (registered_) service_.reset();
  }

 private:
  void start() {
    std::filesystem::remove_all(folder_.path() / "dealer");
    registered_ = false;
    DealerOptions options;
    options.listen = "127.0.0.1:0";
    options.state = folder_.path() / "dealer";
    options.log = [this](const std::string& line) { registered_ |= line.starts_with("registered"); };
    service_ = std::make_unique<DealerService>(identity(Role::dealer), options);
  }

  Scratch folder_;
  bool registered_ = false;
  std::unique_ptr<DealerService> service_;
};

template <class Complete>
Bytes stream_of(ByteView input, const Complete& complete) {
  Bytes stream;
  while (input.size() >= 3) {
    const auto type = std::to_integer<std::uint8_t>(input[0]);
    const std::size_t claimed = std::to_integer<std::size_t>(input[1]) + 256 * std::to_integer<std::size_t>(input[2]);
    input = input.subspan(3);
    const ByteView payload = input.first(std::min(claimed, input.size()));
    input = input.subspan(payload.size());
    const Bytes f = frame(type, complete(payload));
    stream.insert(stream.end(), f.begin(), f.end());
  }
  return stream;
}

// What can be read can be written and read again.
template <class Message>
void round_trip(ByteView payload) {
  refuses([&] {
    const Bytes in = frame(static_cast<std::uint8_t>(FrameType::control), payload);
    StreamChannel channel(in);
    const std::string once = receive_control<Message>(channel).SerializeAsString();
    const Bytes out = frame(static_cast<std::uint8_t>(FrameType::control), as_bytes(once));
    StreamChannel again(out);
    SMPC_CHECK(receive_control<Message>(again).SerializeAsString() == once);
  });
}

void read_as_every_message(ByteView payload) {
  round_trip<control::ServerHello>(payload);
  round_trip<control::ClientRequest>(payload);
  round_trip<control::DealerHello>(payload);
  round_trip<control::DealerRequest>(payload);
  round_trip<control::Reply>(payload);
  refuses([&] {
    const Bytes in = frame(static_cast<std::uint8_t>(FrameType::control), payload);
    StreamChannel channel(in);
    expect_ready(channel, "the server");
  });
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  if (size == 0) return 0;
  static fuzz::Server server;
  static fuzz::Dealer dealer;
  const ByteView input = fuzz::bytes_of(data, size).subspan(1);
  if (data[0] % 4 == 0) {
    fuzz::read_as_every_message(input);
    return 0;
  }
  if (data[0] % 4 == 1) {
    const Bytes stream = fuzz::stream_of(input, [&](ByteView payload) { return server.completed(payload); });
    fuzz::StreamChannel channel(stream);
    fuzz::refuses([&] { server.serve(channel); });
    return 0;
  }
  const PeerName peer{data[0] % 4 == 2 ? Role::server : Role::client, "peer"};
  const Bytes stream = fuzz::stream_of(input, [](ByteView payload) { return Bytes(payload.begin(), payload.end()); });
  fuzz::StreamChannel channel(stream);
  fuzz::refuses([&] { dealer.serve(channel, peer); });
  return 0;
}
