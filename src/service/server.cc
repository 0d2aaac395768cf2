#include "smpc/service/server.h"

#include <malloc.h>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <future>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "open_sessions.h"
#include "server_state.h"
#include "smpc/base/sabotage.h"
#include "smpc/correlation/source.h"
#include "smpc/net/tls.h"
#include "smpc/runtime/two_party.h"
#include "smpc/service/allow_list.h"
#include "smpc/service/limits.h"
#include "state_lock.h"
#include "wire.h"

namespace smpc {
namespace {

using namespace std::chrono_literals;

constexpr auto request_time = 2min;    // a client thinks about its next request

bool has_succeeded(const std::shared_future<void>& begun) {
  if (!begun.valid()) return false;
  try {
    begun.get();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

struct ServerService::Impl {
  Impl(const Identity& id, Program p, Weights w, ServerOptions o)
      : identity(id),
        options(std::move(o)),
        program(std::move(p)),
        program_bytes(encode(program)),
        hash(sha256(program_bytes)),
        weights(std::move(w)),
        plan(correlation_plan(program)),
        lock(options.state, "smpc-server", 0ms),
        state(options.state),
        mask(mask_id(state.id_key(), hash, weights)),
        shared(program_key(state.root_key(), hash, mask)),
        allow_list(options.allow),
        listener(identity, {.listen = options.listen,
                            .allowed = {Role::client},
                            .max_sessions = options.max_sessions,
                            .max_sessions_per_peer = options.max_sessions_per_peer,
                            .turn_away = [this](const PeerName& peer) { return allow_list.turn_away(peer); },
                            .on_stop = [this] { sessions.stop(); },
                            .on_failure = options.log}) {}

  // Tells the dealer the program and the shared key: until it is there, and then again and again, since a dealer may lose what
  // it was told. To a dealer that still has it that is a comparison.
  void register_with_dealer(std::stop_token stop) {
    std::string said;
    while (!stop.stop_requested()) {
      auto pause = options.register_again;
      try {
        register_once();
        if (!said.empty() && is_ready()) options.log("the dealer has the program again");
        said.clear();
        become_ready();
      } catch (const Error& e) {
        if (said != e.what()) options.log(std::string("waiting for the dealer: ") + e.what());
        said = e.what();
        // One that has refused has been reached, and would have to look at the program anew.
        if (dynamic_cast<const Refusal*>(&e) == nullptr) pause = std::min<std::chrono::milliseconds>(pause, 500ms);
      }
      std::unique_lock guard(ready_mutex);
      ready_changed.wait_for(guard, stop, pause, [] { return false; });
    }
  }

  void register_once() {
    const auto channel = tls_connect(options.dealer, identity, Role::dealer, Clock::now() + 10s);
    channel->set_deadline(Clock::now() + 30s);
    const auto hello = receive_control<control::DealerHello>(*channel);
    if (hello.version() != protocol_version) fail_peer(version_mismatch(hello.version(), "the older of the two"));
    control::DealerRequest request;
    request.set_version(protocol_version);
    auto& r = *request.mutable_register_program();
    r.set_program(text_of(program_bytes));
    r.set_mask(text_of(mask));
    r.set_instance(text_of(state.instance()));
    r.set_epoch(state.epoch());
    r.set_shared_key(text_of(shared.reveal()));
    send_control(*channel, request);
    expect_ready(*channel, "the dealer");
    control::DealerRequest done;
    done.set_version(protocol_version);
    done.mutable_done();
    send_control(*channel, done);
    channel->close();
  }

  void become_ready() {
    {
      const std::scoped_lock guard(ready_mutex);
      if (std::exchange(ready, true)) return;
    }
    ready_changed.notify_all();
    options.on_ready();
  }

  bool is_ready() {
    const std::scoped_lock guard(ready_mutex);
    return ready;
  }

  bool wait_until_ready() {
    std::unique_lock guard(ready_mutex);
    // In slices, since stop() may come from a signal handler and cannot wake anybody.
    const auto deadline = Clock::now() + request_time;
    while (!ready && !stopping && Clock::now() < deadline) ready_changed.wait_for(guard, 100ms, [&] { return ready; });
    return ready;
  }

  void session(Channel& channel, const PeerName& peer) {
    channel.set_deadline(Clock::now() + request_time);
    control::ServerHello hello;
    hello.set_version(protocol_version);
    hello.set_program(text_of(hash));
    hello.set_mask(text_of(mask));
    hello.set_program_bytes(program_bytes.size());
    hello.set_masked_bytes(MaskedLayout(plan).bytes());
    hello.set_reveal(std::string(to_text(program.reveal)));
    hello.set_instance(text_of(state.instance()));
    hello.set_epoch(state.epoch());
    hello.set_most_volumes(most_volumes);
    if (sabotaged(Sabotage::weight_in_a_frame)) {
      WeightMatrix::Wide weight(1);
      weights.front().matrix.read(0, weight);
      hello.GetReflection()->MutableUnknownFields(&hello)->AddFixed32(15, static_cast<std::uint32_t>(weight[0]));
    }
    send_control(channel, hello);
    while (!sessions.stopping()) {
      channel.set_deadline(Clock::now() + request_time);
      const auto request =
          sessions.between_requests(channel, [&] { return receive_control<control::ClientRequest>(channel); });
      if (request.has_done()) return;
      if (request.version() != protocol_version) {
        return refuse(channel, control::VERSION, version_mismatch(request.version(), "the older of the two"));
      }
      if (request.has_fetch_program()) {
        send_ready(channel);
        channel.send(FrameType::bulk, program_bytes);
      } else if (request.has_fetch_weights()) {
        if (!send_weights(channel, request.fetch_weights().offset())) return;
      } else if (request.has_infer()) {
        if (!infer(channel, peer, request.infer())) return;
      } else {
        return refuse(channel, control::MALFORMED, "expected a request, found none that this version knows");
      }
    }
  }

  // The masked weights from a byte offset on, as one bulk frame a row; then the digest of all of them, which is computed once.
  bool send_weights(Channel& channel, std::uint64_t offset) {
    const MaskedLayout layout(plan);
    if (offset > layout.bytes()) {
      refuse(channel, control::MALFORMED, "the masked weights have " + std::to_string(layout.bytes()) + " bytes");
      return false;
    }
    channel.set_deadline(Clock::now() + transfer_time);
    send_ready(channel);
    if (offset == 0) {
      Sha256 digest;
      write_masked_weights(plan, weights, mask_key(shared), [&](ByteView row) {
        digest.update(row);
        channel.send(FrameType::bulk, row);
      });
      const Digest whole = digest.finish();
      {
        const std::scoped_lock guard(masked_mutex);
        masked_digest = whole;
      }
      channel.send(FrameType::bulk, whole);
    } else {
      const Digest whole = digest_of_masked_weights();
      write_masked_weights(plan, weights, mask_key(shared), [&](ByteView row) { channel.send(FrameType::bulk, row); }, offset);
      channel.send(FrameType::bulk, whole);
    }
    return true;
  }

  // Of all of them; computed once, however many ask for it at the same time.
  Digest digest_of_masked_weights() {
    const std::scoped_lock guard(masked_mutex);
    if (!masked_digest) {
      Sha256 digest;
      write_masked_weights(plan, weights, mask_key(shared), [&](ByteView row) { digest.update(row); });
      masked_digest = digest.finish();
    }
    return *masked_digest;
  }

  // Everything that can be refused is, before anything is spent. False: the session ends.
  bool infer(Channel& channel, const PeerName& peer, const control::Infer& request) {
    std::vector<BundleHeader> headers;
    AuditSubject subject{.peer = peer.uri(), .program = hash, .reveal = std::string(to_text(program.reveal)), .bundles = {}};
    const auto turn_away = [&](control::Code code, const std::string& text) {
      options.log(peer.uri() + ": refused: " + text);
      state.record_refusal(subject, rule_of(code));
      refuse(channel, code, text);
      return false;
    };
    if (const auto refusal = check(request, peer, headers); !refusal.text().empty()) {
      return turn_away(refusal.code(), refusal.text());
    }
    std::vector<Key> seeds;
    for (const BundleHeader& h : headers) {
      subject.bundles.push_back(h.serial);
      seeds.push_back(server_seed(h, shared));
    }
    const std::vector<Serial>& serials = subject.bundles;
    switch (state.reserve(serials, peer.uri(), options.quota, options.quota_total)) {
      case ServerState::Reserve::spent:
        return turn_away(control::SPENT, "a bundle was used already; expected one that was not");
      case ServerState::Reserve::over_quota:
        return turn_away(control::QUOTA, "the quota of volumes is used up; ask the model's owner");
      case ServerState::Reserve::done: break;
    }
    struct Release {
      ServerState& state;
      const std::vector<Serial>& serials;
      std::string client;
      ~Release() { state.release(serials, client); }
    } const release{state, serials, peer.uri()};

    channel.set_deadline(Clock::now() + run_time);
    const Schedule schedule = make_schedule(program, plan, headers.size());
    const auto source = server_source(plan, std::move(seeds));
    PartyRun run = PartyRun::server(program, plan, schedule, *source, weights);
    send_ready(channel);
    // The journal is written while the first answer is computed, and is durable before that leaves.
    const Traffic before = channel.traffic();
    std::shared_future<void> recorded;
    try {
      run.execute(channel, {.before_first_send = [&] { recorded.get(); },
                            .after_message =
                                [&](std::size_t passed) {
                                  if (passed > 1) return;
                                  recorded = std::async(std::launch::async, [&] { state.record(subject); });
                                }});
    } catch (...) {
      if (has_succeeded(recorded)) state.record_failure(subject, channel.traffic() - before);
      throw;
    }
    state.record_end(subject, channel.traffic() - before);
    options.log(peer.uri() + ": " + std::to_string(headers.size()) + (headers.size() == 1 ? " volume" : " volumes"));
    return true;
  }

  // A header that a dealer of this server made, for this program or another: each has a key of its own.
  std::optional<BundleHeader> authentic(ByteView bytes) const {
    if (bytes.size() > longest_bundle_header) return std::nullopt;
    try {
      const BundleHeader h = decode_bundle_header(bytes);
      if (has_valid_mac(bytes, program_key(state.root_key(), h.program, h.mask))) return h;
    } catch (const Error&) {  // no header at all
    }
    return std::nullopt;
  }

  control::Refusal check(const control::Infer& request, const PeerName& peer, std::vector<BundleHeader>& headers) {
    control::Refusal no;
    const auto say = [&](control::Code code, const std::string& text) {
      no.set_code(code);
      no.set_text(text);
      return no;
    };
    if (request.program() != text_of(hash)) {
      return say(control::PROGRAM, "expected program " + to_hex(hash).substr(0, 12) + ", found " +
                                       to_hex(as_bytes(request.program())).substr(0, 12) +
                                       "; the model has changed, fetch it again");
    }
    if (request.mask() != text_of(mask)) {
      return say(control::MASK, "expected masked weights " + to_hex(mask).substr(0, 12) + ", found " +
                                    to_hex(as_bytes(request.mask())).substr(0, 12) +
                                    "; the model has changed, fetch them again");
    }
    if (request.reveal() != to_text(program.reveal)) {
      return say(control::POLICY, "expected output policy " + std::string(to_text(program.reveal)) + ", found " +
                                      request.reveal());
    }
    if (request.bundles_size() == 0 || request.bundles_size() > static_cast<int>(most_volumes)) {
      return say(control::MALFORMED, "expected 1 to " + std::to_string(most_volumes) + " bundles, found " +
                                         std::to_string(request.bundles_size()));
    }
    std::set<Serial> seen;
    for (const std::string& bytes : request.bundles()) {
      const std::optional<BundleHeader> read = authentic(as_bytes(bytes));
      if (!read) return say(control::BUNDLE, "a bundle is not one that this server's dealer made");
      const BundleHeader& h = *read;
      if (h.client != peer.uri()) return say(control::BUNDLE, "a bundle is another client's");
      if (h.program != hash || h.mask != mask) return say(control::BUNDLE, "a bundle is for another program or other weights");
      if (h.instance != state.instance() || h.epoch != state.epoch()) {
        return say(control::BUNDLE, "a bundle is of an older epoch of this server; take new ones");
      }
      if (h.expiry <= static_cast<std::int64_t>(std::time(nullptr))) {
        return say(control::BUNDLE, "a bundle has expired; take new ones");
      }
      if (!seen.insert(h.serial).second) return say(control::SPENT, "a bundle stands twice in one request");
      headers.push_back(h);
    }
    return no;
  }

  const Identity& identity;
  ServerOptions options;
  Program program;
  Bytes program_bytes;
  Digest hash;
  Weights weights;
  Plan plan;
  StateLock lock;
  ServerState state;
  MaskId mask;
  Key shared;  // with the dealer
  AllowList allow_list;
  OpenSessions sessions;
  Listener listener;
  std::mutex masked_mutex;
  std::optional<Digest> masked_digest;  // under masked_mutex
  std::mutex ready_mutex;
  std::condition_variable_any ready_changed;
  bool ready = false;
  std::atomic<bool> stopping = false;
};

ServerService::ServerService(const Identity& identity, Program program, Weights weights, ServerOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(program), std::move(weights), std::move(options))) {}
ServerService::~ServerService() = default;
std::uint16_t ServerService::port() const noexcept { return impl_->listener.port(); }

void ServerService::run() {
  if (!impl_->options.allow.empty()) impl_->options.log(impl_->allow_list.text());
  std::jthread registrar([this](std::stop_token stop) { impl_->register_with_dealer(stop); });
  ::malloc_trim(0);  // what reading and compiling the model left behind
  impl_->listener.run([this](Channel& channel, const PeerName& peer) {
    struct Trim {
      ~Trim() { ::malloc_trim(0); }  // the C library would keep what a large batch took
    } const trim;
    if (!impl_->wait_until_ready()) fail_peer("a client came, and the dealer has not registered the program yet");
    impl_->session(channel, peer);
  });
}

void ServerService::serve(Channel& channel, const PeerName& peer) { impl_->session(channel, peer); }

void ServerService::stop() noexcept {
  const bool again = impl_->stopping.exchange(true);
  impl_->listener.stop(again ? std::chrono::seconds(0) : impl_->options.drain);
}

void ServerService::reload() { reload_and_say(impl_->allow_list, impl_->options.log); }

std::uint64_t bump_epoch(const std::filesystem::path& state) {
  const StateLock lock(state, "smpc-server", std::chrono::milliseconds(0));
  return ServerState(state).bump_epoch();
}

}  // namespace smpc
