#include "smpc/service/client.h"

#include <algorithm>
#include <optional>

#include "client_state.h"
#include "part_file.h"
#include "smpc/base/mapped_file.h"
#include "smpc/net/tls.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/two_party.h"
#include "smpc/service/limits.h"
#include "state_lock.h"
#include "wire.h"

namespace smpc {
namespace {

using namespace std::chrono_literals;

constexpr auto connect_time = 15s;
constexpr auto hello_time = 2min;      // a server may still be waiting for its dealer
constexpr auto transfer_time = 60min;  // the masked weights over a slow line
constexpr auto dealer_time = 30min;    // bundles that are made while we wait
constexpr auto run_time = 10min;       // one inference
constexpr std::uint32_t bundles_at_once = 32;   // taken in one request: the dealer makes them in one pass over A

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void add(PhaseCost& cost, const Traffic& before, const Traffic& after) {
  cost.sent += after.sent_bytes - before.sent_bytes;
  cost.received += after.received_bytes - before.received_bytes;
}

}  // namespace

struct ClientService::Impl {
  Impl(const Identity& id, ClientOptions o)
      : identity(id), options(std::move(o)), lock(options.state, "smpc-client", 60s), state(options.state) {}

  // A session with the server, beyond its hello.
  void open_session() {
    options.progress("connecting to the server", 0, 0);
    session = tls_connect(options.server, identity, Role::server, Clock::now() + connect_time);
    session->set_deadline(Clock::now() + hello_time);
    const auto h = receive_control<control::ServerHello>(*session);
    if (h.version() != protocol_version) fail_peer("the server: " + version_mismatch(h.version(), "the older of the two"));
    BundleFilter told;
    told.program = array_of<32>(h.program(), "the server's program hash");
    told.mask = array_of<32>(h.mask(), "the server's mask id");
    told.instance = array_of<16>(h.instance(), "the server's instance");
    told.epoch = h.epoch();
    if (learned && (told.program != filter.program || told.mask != filter.mask)) {
      fail_peer("the server changed its model meanwhile; run the command again");
    }
    filter = told;
    hello = h;
    learned = true;
    server_identity = session->peer_identity();
  }

  void close_session() {
    if (!session) return;
    control::ClientRequest request;
    request.set_version(protocol_version);
    request.mutable_done();
    send_control(*session, request);
    end_session();
  }
  void end_session() {
    total = total + session->traffic();
    session->close();
    session.reset();
  }

  control::ClientRequest request() const {
    control::ClientRequest r;
    r.set_version(protocol_version);
    return r;
  }

  void learn_program() {
    if (program) return;
    std::optional<Bytes> bytes = state.program(filter.program);
    const bool fetched = !bytes || sha256(*bytes) != filter.program;
    if (fetched) {
      options.progress("fetching the program", 0, 0);
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
      program = decode_program(*bytes);
    } catch (const Error& e) {
      fail_peer(std::string("the server: ") + e.what());
    }
    if (fetched) state.store_program(filter.program, *bytes);
    if (to_text(program->reveal) != hello.reveal()) fail_peer("the server: its output policy is not its program's");
    plan = correlation_plan(*program);
    if (hello.masked_bytes() != MaskedLayout(plan).bytes()) {
      fail_peer("the server: expected masked weights of " + std::to_string(MaskedLayout(plan).bytes()) +
                " bytes, as its program says, found " + std::to_string(hello.masked_bytes()));
    }
  }

  // Downloads the masked weights unless they are there; goes on where an earlier download stopped.
  void fetch_weights() {
    const auto whole = state.masked_weights(filter.mask);
    const MaskedLayout layout(plan);
    std::error_code error;
    if (std::filesystem::file_size(whole, error) == layout.bytes() && !error) return;
    const auto start = Clock::now();
    const auto part = state.masked_weights_part(filter.mask);
    PartFile file(part);
    std::uint64_t have = std::filesystem::file_size(part);
    if (have > layout.bytes()) {
      std::filesystem::resize_file(part, 0);
      have = 0;
    }
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
      for (std::size_t i = 0; i < d.outputs; ++i) {
        const std::uint64_t end = at + row_bytes;
        if (end > have) {
          row.resize(end - std::max(at, have));
          session->receive(FrameType::bulk, row);
          file.append(row);
          options.progress("fetching the masked weights", end, layout.bytes());
        }
        at = end;
      }
    }
    file.sync();
    add(cost.setup, before, session->traffic());
    std::filesystem::rename(part, whole);
    cost.setup.seconds += seconds_since(start);
  }

  // Takes what is missing from the dealer. No session with the server is open meanwhile.
  void fetch_bundles(std::size_t count) {
    std::size_t have = state.available(filter);
    if (have >= count) return;
    const auto start = Clock::now();
    std::unique_ptr<Channel> dealer;
    try {
      options.progress("connecting to the dealer", 0, 0);
      dealer = tls_connect(options.dealer, identity, Role::dealer, Clock::now() + connect_time);
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
    while (have < count) {
      const auto batch = static_cast<std::uint32_t>(std::min<std::size_t>(bundles_at_once, count - have));
      take(*dealer, batch, have, count, masked.bytes());
      have += batch;
      options.progress("taking correlated randomness", have, count);
    }
    control::DealerRequest done;
    done.set_version(protocol_version);
    done.mutable_done();
    send_control(*dealer, done);
    total = total + dealer->traffic();
    dealer->close();
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
      options.progress("waiting for the dealer to make correlated randomness", have + ready, wanted);
    });
    const Traffic before = dealer.traffic();
    std::vector<ClientBundle> bundles(batch);
    std::vector<ClientMaterial> material(batch);
    for (std::size_t i = 0; i < batch; ++i) {
      ClientBundle& b = bundles[i];
      b.header_bytes = dealer.receive_up_to(FrameType::bulk, longest_bundle_header);
      b.header = decode_bundle_header(b.header_bytes);
      const BundleHeader& h = b.header;
      if (h.client != identity.name().uri() || h.program != filter.program || h.mask != filter.mask ||
          h.instance != filter.instance || h.epoch != filter.epoch) {
        fail_peer("the dealer: expected a bundle for this client and this program, found another");
      }
      SecretBytes body(32 + plan.correction_bytes());
      dealer.receive(FrameType::bulk, body);
      material[i].seed = Key{ByteView(body).first<32>()};
      material[i].corrections.assign(body.begin() + 32, body.end());
    }
    add(cost.offline, before, dealer.traffic());
    finish_corrections(plan, masked, material);
    for (std::size_t i = 0; i < batch; ++i) bundles[i].material = std::move(material[i]);
    state.store(bundles);
  }

  void provide(std::size_t count) {
    if (!session) open_session();
    fetch_weights();
    if (state.available(filter) < count) {
      close_session();
      fetch_bundles(count);
    }
  }

  std::vector<VolumeResult> infer(std::size_t count, const std::function<RingVector()>& next) {
    if (!session) open_session();
    provide(count);
    if (!session) open_session();
    std::vector<VolumeResult> results;
    for (std::size_t from = 0; from < count; from += most_volumes) {
      const std::size_t n = std::min<std::size_t>(most_volumes, count - from);
      run_batch(joined(n, next), n, results);
      options.progress("inference", from + n, count);
    }
    close_session();
    state.forget_spent();
    return results;
  }

  // The next `volumes` volumes, back to back.
  RingVector joined(std::size_t volumes, const std::function<RingVector()>& next) const {
    RingVector input;
    input.reserve(program->input().count * volumes);
    for (std::size_t v = 0; v < volumes; ++v) {
      const RingVector one = next();
      input.insert(input.end(), one.begin(), one.end());
    }
    return input;
  }

  void run_batch(RingVector input, std::size_t volumes, std::vector<VolumeResult>& results) {
    std::vector<ClientBundle> bundles = state.open(filter, volumes);
    if (bundles.size() < volumes) {
      throw Error(ErrorKind::no_bundles, "stored correlated randomness is damaged and was set aside; run the command again");
    }
    const Schedule schedule = make_schedule(*program, plan, volumes);
    auto r = request();
    auto& infer = *r.mutable_infer();
    infer.set_program(text_of(filter.program));
    infer.set_mask(text_of(filter.mask));
    infer.set_reveal(std::string(to_text(program->reveal)));
    std::vector<ClientMaterial> material;
    for (ClientBundle& b : bundles) {
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
    try {
      expect_ready(*session, "the server");
    } catch (const Refusal& refusal) {
      // A bundle that the server will not take is of no use; the next run takes others.
      if (refusal.code() == control::SPENT || refusal.code() == control::BUNDLE) state.spend(bundles);
      throw;
    }
    const auto start = Clock::now();
    const Traffic before = session->traffic();
    run.execute(*session, {.before_first_send = [&] { state.spend(bundles); },
                           .after_message =
                               [&](std::size_t passed) {
                                 options.progress("inference, message", passed, schedule.messages.size());
                               }});
    read_results(run.result(), volumes, results);
    add(cost.online, before, session->traffic());
    cost.messages += schedule.messages.size();
    cost.rounds += schedule.messages.size();
    cost.online.seconds += seconds_since(start);
  }

  void read_results(const RingVector& values, std::size_t volumes, std::vector<VolumeResult>& results) const {
    const std::size_t classes = program->classes();
    for (std::size_t v = 0; v < volumes; ++v) {
      VolumeResult one;
      if (program->reveal == Reveal::label) {
        one.index = values[v];
        if (one.index >= classes) fail_peer("the server: expected a class below " + std::to_string(classes));
      } else {
        one.logits = dequantise(program->output(), std::span(values).subspan(v * classes, classes));
        one.index = static_cast<std::size_t>(std::max_element(one.logits.begin(), one.logits.end()) - one.logits.begin());
      }
      results.push_back(std::move(one));
    }
  }

  const Identity& identity;
  ClientOptions options;
  StateLock lock;
  ClientState state;
  std::unique_ptr<Channel> session;
  control::ServerHello hello;
  bool learned = false;
  BundleFilter filter;
  std::optional<Program> program;
  Plan plan;
  std::string server_identity;
  ClientCost cost;
  Traffic total;  // of closed channels
};

ClientService::ClientService(const Identity& identity, ClientOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(options))) {}
ClientService::~ClientService() = default;

const Program& ClientService::connect() {
  if (!impl_->session) impl_->open_session();
  impl_->learn_program();
  return *impl_->program;
}

std::size_t ClientService::prefetch(std::size_t count) {
  connect();
  impl_->provide(count);
  impl_->close_session();
  return impl_->state.available(impl_->filter);
}

std::vector<VolumeResult> ClientService::infer(std::size_t count, const std::function<RingVector()>& next) {
  connect();
  return impl_->infer(count, next);
}

std::vector<VolumeResult> ClientService::infer(const std::vector<RingVector>& volumes) {
  return infer(volumes.size(), [at = volumes.begin()]() mutable { return *at++; });
}

const ClientCost& ClientService::cost() const noexcept {
  ClientCost& c = impl_->cost;
  c.control.sent = impl_->total.sent_bytes - c.online.sent - c.offline.sent - c.setup.sent;
  c.control.received = impl_->total.received_bytes - c.online.received - c.offline.received - c.setup.received;
  return c;
}
const std::string& ClientService::server_identity() const noexcept { return impl_->server_identity; }
std::string ClientService::program_hash() const { return to_hex(impl_->filter.program); }
std::string ClientService::mask() const { return to_hex(impl_->filter.mask); }

}  // namespace smpc
