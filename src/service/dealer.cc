#include "smpc/service/dealer.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <set>
#include <thread>

#include "database.h"
#include "dealer_pool.h"
#include "open_sessions.h"
#include "program_bounds.h"
#include "smpc/net/tls.h"
#include "smpc/service/allow_list.h"
#include "state_lock.h"
#include "wire.h"

namespace smpc {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t most_at_once = 64;              // bundles in one request
constexpr std::int64_t bundle_lifetime = 30 * 86400;    // seconds
constexpr auto session_time = 30min;                    // a client may wait for its bundles

const char* const dealer_schema = R"(
CREATE TABLE IF NOT EXISTS registrations (
  server TEXT NOT NULL, instance BLOB NOT NULL, epoch INTEGER NOT NULL, program_hash BLOB NOT NULL,
  mask BLOB NOT NULL, program BLOB NOT NULL, shared_key BLOB NOT NULL,  -- program_key
  PRIMARY KEY (instance, program_hash, mask));
CREATE TABLE IF NOT EXISTS issued (
  serial BLOB PRIMARY KEY, client TEXT NOT NULL, instance BLOB NOT NULL, program_hash BLOB NOT NULL,
  time INTEGER NOT NULL) WITHOUT ROWID;
)";

// Before version 1 a registration held the key of which all of a server's are made. It goes; servers register by themselves.
constexpr std::int64_t dealer_tables = 1;

// What one server identity has registered at once: states of it, each with its program and its bundles in memory.
constexpr std::int64_t most_states_of_a_server = 16;

template <std::size_t N>
void copy_to(std::array<std::byte, N>& out, ByteView from) {
  if (from.size() != N) fail_input("its record is damaged");
  std::copy(from.begin(), from.end(), out.begin());
}

Key key_of(ByteView bytes) {
  if (bytes.size() != 32) fail_input("its record is damaged");
  return Key{bytes.first<32>()};
}

}  // namespace

struct DealerService::Impl {
  Impl(const Identity& identity, DealerOptions o)
      : options(std::move(o)),
        lock(options.state, "smpc-dealer", 0ms),
        db(options.state / "dealer.db", ""),
        pool(options.pool, options.log),
        allow_list(options.allow),
        servers(options.allow_servers, Role::server),
        listener(identity, {.listen = options.listen,
                            .allowed = {Role::server, Role::client},
                            .max_sessions = options.max_sessions,
                            .max_sessions_per_peer = options.max_sessions_per_peer,
                            .turn_away = [this](const PeerName& peer) {
                              return peer.role == Role::server ? servers.turn_away(peer) : allow_list.turn_away(peer);
                            },
                            .on_stop =
                                [this] {
                                  sessions.stop();
                                  pool.stop();
                                },
                            .on_failure = options.log}) {
    db.bring_up_to_date(dealer_tables, "smpc-dealer", [&] { db.execute("DROP TABLE IF EXISTS registrations"); });
    db.execute(dealer_schema);
    Statement rows = db.prepare("SELECT server, instance, epoch, program_hash, mask, program, shared_key FROM registrations");
    while (rows.step()) serve_stored(rows);
  }

  // One that cannot be served must not keep the others from it.
  void serve_stored(const Statement& row) {
    Registration r;
    r.server = row.text(0);
    try {
      if (!servers.has(r.server)) fail_input("it is not on the allow-list");
      copy_to(r.instance, row.blob(1));
      r.epoch = static_cast<std::uint64_t>(row.integer(2));
      copy_to(r.program_hash, row.blob(3));
      copy_to(r.mask, row.blob(4));
      r.program = row.blob(5);
      r.shared = key_of(row.secret(6));
      pool.add(r, plan_for_the_dealer(r.program));
    } catch (const Error& e) {
      options.log("a stored registration of " + r.server + " is left out: " + e.what());
    }
  }

  void session(Channel& channel, const PeerName& peer) {
    channel.set_deadline(Clock::now() + session_time);
    control::DealerHello hello;
    hello.set_version(protocol_version);
    send_control(channel, hello);
    while (!sessions.stopping()) {
      const auto request =
          sessions.between_requests(channel, [&] { return receive_control<control::DealerRequest>(channel); });
      if (request.has_done()) return;
      if (request.version() != protocol_version) {
        return refuse(channel, control::VERSION, version_mismatch(request.version(), "the older of the two"));
      }
      if (request.has_register_program() && peer.role == Role::server) {
        register_program(channel, peer, request.register_program());
      } else if (request.has_take() && peer.role == Role::client) {
        hand_out(channel, peer, request.take());
      } else {
        return refuse(channel, control::MALFORMED, "this request is not one for a " + std::string(role_name(peer.role)));
      }
    }
  }

  void register_program(Channel& channel, const PeerName& peer, const control::Register& request) {
    Registration r;
    r.server = peer.uri();
    r.instance = array_of<16>(request.instance(), "a registration's instance");
    r.epoch = request.epoch();
    r.mask = array_of<32>(request.mask(), "a registration's mask id");
    const ByteView program = as_bytes(request.program());
    if (program.size() > longest_program) return refuse(channel, control::MALFORMED, "the program is too long");
    r.program = Bytes(program.begin(), program.end());
    r.program_hash = sha256(program);
    r.shared = Key{std::span<const std::byte, 32>(array_of<32>(request.shared_key(), "a registration's key"))};
    if (pool.holds(r)) return send_ready(channel);  // servers say it again and again
    Plan plan;
    try {
      plan = plan_for_the_dealer(r.program);
    } catch (const Error& e) {
      options.log(r.server + ": refused: " + e.what());
      return refuse(channel, control::PROGRAM, e.what());
    }
    if (!store(r)) {
      return refuse(channel, control::POLICY, "this server state was registered by another server identity before");
    }
    pool.add(r, std::move(plan));
    forget_old_states(r.server);
    options.log("registered program " + to_hex(r.program_hash).substr(0, 12) + " of " + r.server);
    send_ready(channel);
  }

  // Whoever registers state after state does not fill the dealer's memory: those that it registered first go.
  void forget_old_states(const std::string& server) {
    std::set<Instance> kept;
    {
      const std::scoped_lock guard(db.mutex());
      Statement rows = db.prepare("SELECT instance FROM registrations WHERE server = ? ORDER BY rowid DESC LIMIT ?");
      rows.bind(std::string_view(server)).bind(most_states_of_a_server);
      while (rows.step()) {
        Instance one{};
        copy_to(one, rows.blob(0));
        kept.insert(one);
      }
    }
    pool.keep_only([&](const Registration& r) { return r.server != server || kept.contains(r.instance); });
  }

  // False when the instance belongs to another server.
  bool store(const Registration& r) {
    const std::scoped_lock guard(db.mutex());
    Database::Transaction transaction(db);
    {
      Statement owner = db.prepare("SELECT 1 FROM registrations WHERE instance = ? AND server <> ?");
      owner.bind(ByteView(r.instance)).bind(std::string_view(r.server));
      if (owner.step()) return false;
    }
    db.prepare("DELETE FROM registrations WHERE instance = ?").bind(ByteView(r.instance)).run();
    db.prepare("INSERT INTO registrations VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(std::string_view(r.server))
        .bind(ByteView(r.instance))
        .bind(static_cast<std::int64_t>(r.epoch))
        .bind(ByteView(r.program_hash))
        .bind(ByteView(r.mask))
        .bind(ByteView(r.program))
        .bind(ByteView(r.shared.reveal()))
        .run();
    db.prepare("DELETE FROM registrations WHERE server = ?1 AND rowid NOT IN "
               "(SELECT rowid FROM registrations WHERE server = ?1 ORDER BY rowid DESC LIMIT ?2)")
        .bind(std::string_view(r.server))
        .bind(most_states_of_a_server)
        .run();
    transaction.commit();
    return true;
  }

  void hand_out(Channel& channel, const PeerName& peer, const control::Take& request) {
    if (request.count() == 0 || request.count() > most_at_once) {
      return refuse(channel, control::MALFORMED, "expected 1 to " + std::to_string(most_at_once) +
                                                     " bundles a request, found " + std::to_string(request.count()));
    }
    BundleHeader h;
    h.instance = array_of<16>(request.instance(), "a request's instance");
    h.epoch = request.epoch();
    h.program = array_of<32>(request.program(), "a request's program");
    h.mask = array_of<32>(request.mask(), "a request's mask id");
    h.client = peer.uri();
    h.expiry = static_cast<std::int64_t>(std::time(nullptr)) + bundle_lifetime;
    Registration registration;
    std::vector<ReadyBundle> bundles;
    try {
      bundles = pool.take(h, request.count(), registration, [&](std::size_t have) {
        control::Reply reply;
        reply.mutable_waiting()->set_have(static_cast<std::uint32_t>(have));
        reply.mutable_waiting()->set_want(request.count());
        send_control(channel, reply);
      });
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::no_bundles) throw;
      return refuse(channel, control::PROGRAM, e.what());
    }
    record_issued(bundles, h);
    send_ready(channel, request.count());
    for (ReadyBundle& b : bundles) {
      h.serial = b.serial;
      const Bytes header = encode(h, registration.shared);
      SecretBytes body(b.client_seed.reveal().begin(), b.client_seed.reveal().end());
      body.insert(body.end(), b.corrections.begin(), b.corrections.end());
      channel.send(FrameType::bulk, header);
      channel.send(FrameType::bulk, body);
    }
    options.log("handed " + std::to_string(bundles.size()) + (bundles.size() == 1 ? " bundle to " : " bundles to ") + h.client);
  }

  // Durable before a byte of them leaves: a serial is handed out at most once.
  void record_issued(const std::vector<ReadyBundle>& bundles, const BundleHeader& h) {
    const std::scoped_lock guard(db.mutex());
    Database::Transaction transaction(db);
    Statement insert = db.prepare("INSERT INTO issued VALUES (?, ?, ?, ?, ?)");
    for (const ReadyBundle& b : bundles) {
      const bool fresh = insert.reset()
                             .bind(ByteView(b.serial))
                             .bind(std::string_view(h.client))
                             .bind(ByteView(h.instance))
                             .bind(ByteView(h.program))
                             .bind(static_cast<std::int64_t>(std::time(nullptr)))
                             .run_unless_there();
      SMPC_CHECK(fresh);
    }
    insert.reset();
    transaction.commit();
  }

  DealerOptions options;
  StateLock lock;
  Database db;
  DealerPool pool;
  AllowList allow_list;  // of clients
  AllowList servers;
  OpenSessions sessions;
  std::atomic<bool> stopping = false;
  Listener listener;
};

DealerService::DealerService(const Identity& identity, DealerOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(options))) {}
DealerService::~DealerService() = default;
std::uint16_t DealerService::port() const noexcept { return impl_->listener.port(); }

void DealerService::run() {
  if (!impl_->options.allow.empty()) impl_->options.log(impl_->allow_list.text());
  if (!impl_->options.allow_servers.empty()) impl_->options.log(impl_->servers.text());
  std::jthread generator([this](std::stop_token stop) { impl_->pool.generate(stop); });
  impl_->listener.run([this](Channel& channel, const PeerName& peer) { impl_->session(channel, peer); });
}

void DealerService::serve(Channel& channel, const PeerName& peer) { impl_->session(channel, peer); }

void DealerService::stop() noexcept {
  const bool again = impl_->stopping.exchange(true);
  impl_->listener.stop(again ? std::chrono::seconds(0) : impl_->options.drain);
}

void DealerService::reload() {
  reload_and_say(impl_->allow_list, impl_->options.log);
  if (impl_->options.allow_servers.empty()) return;
  reload_and_say(impl_->servers, impl_->options.log);
  impl_->pool.keep_only([this](const Registration& r) { return impl_->servers.has(r.server); });
}

}  // namespace smpc
