#include "smpc/service/client.h"

#include <algorithm>
#include <ctime>
#include <optional>

#include "bundle_intake.h"
#include "client_link.h"
#include "client_state.h"
#include "part_file.h"
#include "program_bounds.h"
#include "smpc/base/digest.h"
#include "smpc/base/file.h"
#include "smpc/base/mapped_file.h"
#include "smpc/net/tls.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/memory.h"
#include "smpc/runtime/two_party.h"
#include "smpc/service/limits.h"
#include "state_lock.h"
#include "wire.h"

namespace smpc {
namespace {

using namespace std::chrono_literals;

constexpr auto connect_time = 15s;
constexpr auto hello_time = 2min;      // a server may still be waiting for its dealer
constexpr auto dealer_time = 30min;    // bundles that are made while we wait
// Bundles are taken so many in one request, which the dealer makes in one pass over A; and of so many bytes, unless one alone has
// more.
constexpr std::size_t bundles_at_once = 32;
constexpr std::size_t bytes_at_once = std::size_t{64} << 20;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void add(PhaseCost& cost, const Traffic& before, const Traffic& after) {
  cost.sent += after.sent_bytes - before.sent_bytes;
  cost.received += after.received_bytes - before.received_bytes;
}

}  // namespace

ClientCost operator-(const ClientCost& after, const ClientCost& before) noexcept {
  const auto phase = [](const PhaseCost& a, const PhaseCost& b) {
    return PhaseCost{a.sent - b.sent, a.received - b.received, a.seconds - b.seconds};
  };
  return {phase(after.online, before.online),
          after.messages - before.messages,
          after.rounds - before.rounds,
          phase(after.offline, before.offline),
          phase(after.setup, before.setup),
          phase(after.control, before.control)};
}

struct ClientService::Impl {
  Impl(const Identity& id, ClientOptions o)
      : identity(id), options(std::move(o)), lock(options.state, "smpc-client", options.patience), state(options.state) {}

  // A session that is there between two calls waits for a request: one that an error left in another state is given up. After
  // results, valid or not, there is none.
  template <class Body>
  auto call(Body&& body) {
    try {
      return link.cancellable(body);
    } catch (...) {
      session.reset();
      link.abandon();
      throw;
    }
  }

  void tell(ClientPhase phase, std::uint64_t done = 0, std::uint64_t whole = 0, std::string_view layer = {}) {
    options.progress(link.progress({.phase = phase,
                                    .done = done,
                                    .whole = whole,
                                    .layer = layer,
                                    .volumes_done = volumes_done,
                                    .volumes = volumes}));
  }

  // A session with the server, beyond its hello.
  void open_session() {
    tell(ClientPhase::connecting);
    session = link.use(tls_connect(options.server, identity, Role::server, Clock::now() + connect_time, options.server_name));
    session->set_deadline(Clock::now() + hello_time);
    const auto h = receive_control<control::ServerHello>(*session);
    if (h.version() != protocol_version) fail_peer("the server: " + version_mismatch(h.version(), "the older of the two"));
    BundleFilter told;
    told.program = array_of<32>(h.program(), "the server's program hash");
    told.mask = array_of<32>(h.mask(), "the server's mask id");
    told.instance = array_of<16>(h.instance(), "the server's instance");
    told.epoch = h.epoch();
    const Offer offer{session->peer_identity(), told.program};
    options.approved.check(offer, h.reveal());
    state.remember(options.server, offer);
    if (learned && (told.program != filter.program || told.mask != filter.mask)) {
      fail_peer("the server changed its model meanwhile; run the command again");
    }
    if (program && told.program != filter.program) {
      fail_peer("the server: expected program " + to_hex(filter.program).substr(0, 12) + ", which volumes are judged by, found " +
                to_hex(told.program).substr(0, 12) + ", which is approved as well; nothing of a volume was used. Run the command again, "
                "or choose with --program");
    }
    filter = told;
    hello = h;
    learned = true;
    server_identity = offer.server;
  }

  // From what is stored and approved, else from the server, which hears nothing more than that.
  void learn_pinned() {
    if (program) return;
    const std::optional<Offer> last = state.last_offer(options.server);
    const std::optional<Digest> hash = options.approved.expected(last);
    const std::optional<Bytes> bytes = hash ? state.program(*hash) : std::nullopt;
    if (bytes && sha256(*bytes) == *hash) {
      if (last) server_identity = last->server;  // for the audit log
      filter.program = *hash;
      take_program(*bytes);
      return;
    }
    open_session();
    learn_program();
    close_session();
  }

  void take_program(const Bytes& bytes) {
    Program decoded = decode_program(bytes);
    Plan planned = correlation_plan(decoded);
    check_bounds(planned, predicted_memory(decoded, planned, make_schedule(decoded, planned, 1)).client);
    program = std::move(decoded);
    plan = std::move(planned);
  }

  // Nothing is lost where the server is gone already: it may be stopping.
  void close_session() noexcept {
    if (!session) return;
    try {
      auto r = request();
      r.mutable_done();
      send_control(*session, r);
      link.end();
    } catch (...) {
      link.abandon();
    }
    session.reset();
  }

  control::ClientRequest request() const {
    control::ClientRequest r;
    r.set_version(protocol_version);
    return r;
  }

  void learn_program() {
    if (!program) fetch_program();
    if (to_text(program->reveal) != hello.reveal()) fail_peer("the server: its output policy is not its program's");
    if (hello.masked_bytes() != MaskedLayout(plan).bytes()) {
      fail_peer("the server: expected masked weights of " + std::to_string(MaskedLayout(plan).bytes()) +
                " bytes, as its program says, found " + std::to_string(hello.masked_bytes()));
    }
  }

  void fetch_program() {
    std::optional<Bytes> bytes = state.program(filter.program);
    const bool fetched = !bytes || sha256(*bytes) != filter.program;
    if (fetched) {
      tell(ClientPhase::program);
      const auto start = Clock::now();
      if (hello.program_bytes() == 0 || hello.program_bytes() > longest_program) {
        fail_peer("the server: expected a program of at most " + std::to_string(longest_program) + " bytes, found " +
                  std::to_string(hello.program_bytes()));
      }
      auto r = request();
      r.mutable_fetch_program();
      send_control(*session, r);
      expect_ready(*session, "the server");
      bytes.emplace(hello.program_bytes());
      const Traffic before = session->traffic();
      session->receive(FrameType::bulk, *bytes);
      add(cost.setup, before, session->traffic());
      if (sha256(*bytes) != filter.program) fail_peer("the server: the program that it sent is not the one that it names");
      cost.setup.seconds += seconds_since(start);
    }
    try {
      take_program(*bytes);
    } catch (const Error& e) {
      fail_peer(std::string("the server: ") + e.what());
    }
    if (fetched) state.store_program(filter.program, *bytes);
  }

  bool masked_weights_stored() const {
    std::error_code error;
    return std::filesystem::file_size(state.masked_weights(filter.mask), error) == MaskedLayout(plan).bytes() && !error;
  }

  // Downloads the masked weights unless they are there; goes on where an earlier download stopped, which may have left
  // anything: the whole is checked against the server's digest.
  void fetch_weights() {
    if (masked_weights_stored()) return;
    const auto start = Clock::now();
    const auto part = state.masked_weights_part(filter.mask);
    const MaskedLayout layout(plan);
    PartFile file(part);
    std::uint64_t have = std::filesystem::file_size(part);
    if (have > layout.bytes()) {
      std::filesystem::resize_file(part, 0);
      have = 0;
    }
    Sha256 digest;
    if (have > 0) digest.update(MappedFile(part).bytes());
    auto r = request();
    r.mutable_fetch_weights()->set_offset(have);
    send_control(*session, r);
    expect_ready(*session, "the server");
    session->set_deadline(Clock::now() + transfer_time);
    const Traffic before = session->traffic();
    std::uint64_t at = 0;
    Bytes row;
    for (const LinearDemand& d : layout.linears) {
      const std::size_t row_bytes = MaskedLayout::row_bytes(d);
      for (std::size_t i = 0; i < d.rows(); ++i) {
        const std::uint64_t end = at + row_bytes;
        if (end > have) {
          row.resize(end - std::max(at, have));
          session->receive(FrameType::bulk, row);
          file.append(row);
          digest.update(row);
          tell(ClientPhase::masked_weights, end, layout.bytes());
        }
        at = end;
      }
    }
    Digest told{};
    session->receive(FrameType::bulk, told);
    add(cost.setup, before, session->traffic());
    if (digest.finish() != told) {
      std::filesystem::remove(part);
      fail_peer("the masked weights that are stored now are not those of the server: an earlier download was damaged on the "
                "disk; they are removed, run the command again");
    }
    file.sync();
    std::filesystem::rename(part, state.masked_weights(filter.mask));
    sync_folder(part.parent_path());
    cost.setup.seconds += seconds_since(start);
  }

  // Takes what is missing from the dealer. No session with the server is open meanwhile.
  void fetch_bundles(std::size_t count) {
    std::size_t have = state.available(filter);
    if (have >= count) return;
    const auto start = Clock::now();
    std::shared_ptr<Channel> dealer;
    try {
      tell(ClientPhase::connecting);
      dealer = link.use(tls_connect(options.dealer, identity, Role::dealer, Clock::now() + connect_time));
    } catch (const NobodyListens& e) {
      throw Error(ErrorKind::no_bundles, std::string("no correlated randomness: ") + e.what() + "; " +
                                             std::to_string(count) + " bundles are needed and " +
                                             std::to_string(have) + " are stored");
    }
    dealer->set_deadline(Clock::now() + dealer_time);
    const auto hello_of_dealer = receive_control<control::DealerHello>(*dealer);
    if (hello_of_dealer.version() != protocol_version) {
      fail_peer("the dealer: " + version_mismatch(hello_of_dealer.version(), "the older of the two"));
    }
    const MappedFile masked(state.masked_weights(filter.mask));
    tell(ClientPhase::randomness, have, count);
    while (have < count) {
      const std::size_t fit = std::max<std::size_t>(1, bytes_at_once / (32 + plan.correction_bytes()));
      const auto batch = static_cast<std::uint32_t>(std::min({bundles_at_once, fit, count - have}));
      take(*dealer, batch, have, count, masked.bytes());
      have += batch;
      tell(ClientPhase::randomness, have, count);
    }
    control::DealerRequest done;
    done.set_version(protocol_version);
    done.mutable_done();
    send_control(*dealer, done);
    link.end();
    cost.offline.seconds += seconds_since(start);
  }

  void take(Channel& dealer, std::uint32_t batch, std::size_t have, std::size_t wanted, ByteView masked) {
    control::DealerRequest r;
    r.set_version(protocol_version);
    auto& t = *r.mutable_take();
    t.set_program(text_of(filter.program));
    t.set_mask(text_of(filter.mask));
    t.set_instance(text_of(filter.instance));
    t.set_epoch(filter.epoch);
    t.set_count(batch);
    send_control(dealer, r);
    expect_ready(dealer, "the dealer", ErrorKind::no_bundles, [&](std::uint32_t ready, std::uint32_t) {
      tell(ClientPhase::waiting_for_dealer, have + ready, wanted);
    });
    const Traffic before = dealer.traffic();
    const auto accept = [&](const BundleHeader& h) {
      if (h.client != identity.name().uri() || h.program != filter.program || h.mask != filter.mask ||
          h.instance != filter.instance || h.epoch != filter.epoch) {
        fail_peer("the dealer: expected a bundle for this client and this program, found another");
      }
      if (h.expiry <= static_cast<std::int64_t>(std::time(nullptr))) {
        fail_peer("the dealer: expected a bundle that is still valid, found one that has expired by the clock here; compare "
                  "the clocks of both machines");
      }
    };
    const std::vector<SealedBundle> bundles = take_bundles(dealer, batch, plan, masked, accept, options.state);
    add(cost.offline, before, dealer.traffic());
    state.store(bundles);
  }

  // While the dealer makes bundles, other commands of the user may work in the state folder, and use some of them up.
  void provide(std::size_t count) {
    if (!session) open_session();
    fetch_weights();
    while (state.available(filter) < count) {
      close_session();
      lock.release();
      fetch_bundles(count);
      lock.acquire(options.patience);
    }
  }

  std::vector<VolumeResult> infer(std::size_t count, const std::function<RingVector()>& next) {
    volumes = count;
    volumes_done = 0;
    if (!session) open_session();
    provide(count);
    if (!session) open_session();
    std::vector<RingVector> opened;  // a batch each
    for (std::size_t from = 0; from < count; from += most_volumes) {
      const std::size_t n = std::min<std::size_t>(most_volumes, count - from);
      opened.push_back(run_batch(joined(n, next), n));
      volumes_done = from + n;
    }
    close_session();
    state.forget_spent();
    // Nobody has looked at what was opened before the last byte left: a server that changes its shares would learn from what
    // the client does then, a guess a run.
    return read_results(opened, count);
  }

  // The next `batch` volumes, back to back.
  RingVector joined(std::size_t batch, const std::function<RingVector()>& next) {
    RingVector input;
    input.reserve(program->input().count * batch);
    try {
      for (std::size_t v = 0; v < batch; ++v) {
        tell(ClientPhase::masking, v, batch);
        const RingVector one = next();
        input.insert(input.end(), one.begin(), one.end());
      }
    } catch (...) {
      close_session();  // nothing has been asked for yet
      throw;
    }
    return input;
  }

  // What is opened of a batch, not looked at.
  RingVector run_batch(RingVector input, std::size_t batch) {
    std::vector<ClientBundle> bundles = state.open(filter, plan.correction_bytes(), batch);
    if (bundles.size() < batch) {
      throw Error(ErrorKind::no_bundles, "stored correlated randomness is damaged and was set aside; run the command again");
    }
    const Schedule schedule = make_schedule(*program, plan, batch);
    auto r = request();
    auto& infer = *r.mutable_infer();
    infer.set_program(text_of(filter.program));
    infer.set_mask(text_of(filter.mask));
    infer.set_reveal(std::string(to_text(program->reveal)));
    std::vector<StoredMaterial> material;
    AuditSubject subject{.peer = server_identity, .program = filter.program, .reveal = infer.reveal(), .bundles = {}};
    for (ClientBundle& b : bundles) {
      subject.bundles.push_back(b.header.serial);
      infer.add_bundles(text_of(b.header_bytes));
      material.push_back(std::move(b.material));
    }
    session->set_deadline(Clock::now() + run_time);
    send_control(*session, r);
    // While the server checks the request: all that the first message needs. It leaves after Ready alone.
    state.prepare_to_spend();
    const auto source = client_source(plan, std::move(material));
    PartyRun run = PartyRun::client(*program, plan, schedule, *source, std::move(input));
    run.prepare();
    tell(ClientPhase::masking, batch, batch);
    try {
      expect_ready(*session, "the server");
    } catch (const Refusal& refusal) {
      // A bundle that the server will not take is of no use; the next run takes others.
      if (refusal.code() == control::SPENT || refusal.code() == control::BUNDLE) state.set_aside(subject.bundles);
      state.record_refusal(subject, rule_of(refusal.code()));
      throw;
    }
    const auto start = Clock::now();
    const Traffic before = session->traffic();
    tell_message(schedule, 0);
    bool begun = false;
    try {
      run.execute(*session, {.before_first_send =
                                 [&] {
                                   state.spend(subject);
                                   begun = true;
                                 },
                             .after_message = [&](std::size_t passed) { tell_message(schedule, passed); }});
    } catch (...) {
      if (begun) state.record_failure(subject, session->traffic() - before);
      throw;
    }
    add(cost.online, before, session->traffic());
    cost.messages += schedule.messages.size();
    cost.rounds += schedule.messages.size();
    cost.online.seconds += seconds_since(start);
    state.record_end(subject, session->traffic() - before);
    return run.result();
  }

  void tell_message(const Schedule& schedule, std::size_t passed) {
    const std::size_t op = op_in_progress(schedule, passed);
    tell(ClientPhase::inference, passed, schedule.messages.size(), op < program->ops.size() ? program->ops[op].name : "opening");
  }

  std::vector<VolumeResult> read_results(const std::vector<RingVector>& opened, std::size_t count) const {
    const std::size_t classes = program->reveal == Reveal::label ? program->classes() : program->output().count;
    std::vector<VolumeResult> results;
    for (std::size_t v = 0; v < count; ++v) {
      const RingVector& batch = opened[v / most_volumes];
      const std::size_t at = v % most_volumes;
      VolumeResult one;
      if (program->reveal == Reveal::label) {
        one.index = batch[at];
        if (one.index >= classes) throw InvalidResult(v, classes);
      } else {
        one.logits = dequantise(program->output(), std::span(batch).subspan(at * classes, classes));
        one.index = static_cast<std::size_t>(std::max_element(one.logits.begin(), one.logits.end()) - one.logits.begin());
      }
      results.push_back(std::move(one));
    }
    return results;
  }

  const Identity& identity;
  ClientOptions options;
  StateLock lock;
  ClientState state;
  std::shared_ptr<Channel> session;
  ClientLink link;
  std::size_t volumes = 0;
  std::size_t volumes_done = 0;
  control::ServerHello hello;
  bool learned = false;
  BundleFilter filter;
  std::optional<Program> program;
  Plan plan;
  std::string server_identity;
  ClientCost cost;
};

ClientService::ClientService(const Identity& identity, ClientOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(options))) {}
ClientService::~ClientService() { disconnect(); }

const Program* ClientService::pinned() {
  if (impl_->options.approved.all()) return nullptr;
  return impl_->call([&] {
    impl_->lock.acquire(impl_->options.patience);
    impl_->learn_pinned();
    return &*impl_->program;
  });
}

void ClientService::record_refusal(std::string_view rule) {
  Impl& i = *impl_;
  SMPC_CHECK(i.program);
  i.lock.acquire(i.options.patience);
  i.state.record_refusal({.peer = i.server_identity, .program = i.filter.program, .reveal = std::string(to_text(i.program->reveal)), .bundles = {}},
                         "volume: " + std::string(rule));
}

const Program& ClientService::connect() {
  return *impl_->call([&] {
    impl_->lock.acquire(impl_->options.patience);  // an earlier call may have failed while it waited for bundles
    if (!impl_->session) impl_->open_session();
    impl_->learn_program();
    return &*impl_->program;
  });
}

std::size_t ClientService::prefetch(std::size_t count) {
  connect();
  return impl_->call([&] {
    impl_->provide(count);
    impl_->close_session();
    impl_->state.forget_spent();
    return impl_->state.available(impl_->filter);
  });
}

std::vector<VolumeResult> ClientService::infer(std::size_t count, const std::function<RingVector()>& next) {
  connect();
  return impl_->call([&] { return impl_->infer(count, next); });
}

void ClientService::disconnect() noexcept { impl_->close_session(); }

void ClientService::cancel() noexcept { impl_->link.cancel(); }
std::size_t ClientService::bundles() const { return impl_->state.available(impl_->filter); }
bool ClientService::has_masked_weights() const { return impl_->masked_weights_stored(); }

std::vector<VolumeResult> ClientService::infer(const std::vector<RingVector>& volumes) {
  return infer(volumes.size(), [at = volumes.begin()]() mutable { return *at++; });
}

const ClientCost& ClientService::cost() const noexcept {
  ClientCost& c = impl_->cost;
  const Traffic total = impl_->link.closed();
  c.control.sent = total.sent_bytes - c.online.sent - c.offline.sent - c.setup.sent;
  c.control.received = total.received_bytes - c.online.received - c.offline.received - c.setup.received;
  return c;
}
const std::string& ClientService::server_identity() const noexcept { return impl_->server_identity; }
std::string ClientService::program_hash() const { return to_hex(impl_->filter.program); }
std::string ClientService::mask() const { return to_hex(impl_->filter.mask); }

}  // namespace smpc
