// fault 68, and the other pairs of roles: who may ask whom for what.
#include "service/support.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::World;

std::unique_ptr<Channel> dial(World& world, const std::string& address, const std::string& name, Role role, Role expected) {
  return tls_connect(address, world.identity(name, role), expected, test::within(test::plenty));
}

TEST(Roles, fault_68_ADealerOnTheOnlinePort) {
  World world;
  const auto failure = failure_of([&] {
    const auto channel = dial(world, world.server_address(), "dealer", Role::dealer, Role::server);
    receive_control<control::ServerHello>(*channel);
  });
  ASSERT_TRUE(failure) << "a dealer has the server's hello";
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  world.expect_good();
}

// It asks at once, and waits for no hello: not a byte of them comes.
TEST(Roles, fault_68_ADealerThatAsksForTheMaskedWeights) {
  World world;
  EXPECT_THROW(
      {
        const auto channel = dial(world, world.server_address(), "dealer", Role::dealer, Role::server);
        control::ClientRequest request;
        request.set_version(protocol_version);
        request.mutable_fetch_weights();
        send_control(*channel, request);
        receive_control<control::ServerHello>(*channel);
      },
      Error);
  world.expect_good();
}

TEST(Roles, AServerOnAServersPort) {
  World world;
  EXPECT_THROW(
      {
        const auto channel = dial(world, world.server_address(), "server", Role::server, Role::server);
        receive_control<control::ServerHello>(*channel);
      },
      Error);
  world.expect_good();
}

control::Reply ask_dealer(World& world, const std::string& name, Role role, const control::DealerRequest& request) {
  const auto channel = dial(world, world.dealer_address(), name, role, Role::dealer);
  EXPECT_EQ(receive_control<control::DealerHello>(*channel).version(), protocol_version);
  send_control(*channel, request);
  return receive_control<control::Reply>(*channel);
}

control::DealerRequest registration(World& world, const control::ServerHello& hello) {
  control::DealerRequest request;
  request.set_version(protocol_version);
  auto& r = *request.mutable_register_program();
  r.set_program(text_of(encode(world.mlp().program)));
  r.set_mask(hello.mask());
  r.set_instance(hello.instance());
  r.set_epoch(hello.epoch());
  r.set_shared_key(std::string(32, 'k'));
  return request;
}

control::DealerRequest taking(const control::ServerHello& hello, std::uint32_t count) {
  control::DealerRequest request;
  request.set_version(protocol_version);
  auto& t = *request.mutable_take();
  t.set_program(hello.program());
  t.set_mask(hello.mask());
  t.set_instance(hello.instance());
  t.set_epoch(hello.epoch());
  t.set_count(count);
  return request;
}

TEST(Roles, fault_68_AClientCannotRegister) {
  World world;
  const auto hello = world.dial().hello;
  const auto reply = ask_dealer(world, "alice", Role::client, registration(world, hello));
  ASSERT_TRUE(reply.has_refusal());
  EXPECT_EQ(reply.refusal().code(), control::MALFORMED);
  world.expect_good("alice", 6);  // more than the pool held: the key is still the server's
}

TEST(Roles, AServerCannotTakeBundles) {
  World world;
  const auto hello = world.dial().hello;
  const auto reply = ask_dealer(world, "server", Role::server, taking(hello, 1));
  ASSERT_TRUE(reply.has_refusal());
  EXPECT_EQ(reply.refusal().code(), control::MALFORMED);
  world.expect_good();
}

// Another server must not put a key of its own in the place of the first one's.
TEST(Roles, AnotherServerCannotRegisterTheSameState) {
  World world;
  const auto hello = world.dial().hello;
  const auto reply = ask_dealer(world, "intruder", Role::server, registration(world, hello));
  ASSERT_TRUE(reply.has_refusal());
  EXPECT_EQ(reply.refusal().code(), control::POLICY);
  world.expect_good("alice", 6);
}

TEST(Roles, ABadRegistrationIsRefused) {
  World world;
  auto request = registration(world, world.dial().hello);
  request.mutable_register_program()->set_program("no program");
  const auto reply = ask_dealer(world, "server", Role::server, request);
  ASSERT_TRUE(reply.has_refusal());
  EXPECT_EQ(reply.refusal().code(), control::PROGRAM);
  auto short_key = registration(world, world.dial().hello);
  short_key.mutable_register_program()->set_shared_key("short");
  EXPECT_THROW(ask_dealer(world, "server", Role::server, short_key), Error);
  world.expect_good();
}

TEST(Roles, ADealerRefusesCountsVersionsAndProgramsThatItDoesNotKnow) {
  World world;
  const auto hello = world.dial().hello;
  for (const std::uint32_t count : {0U, 65U, 0xffffffffU}) {
    const auto reply = ask_dealer(world, "alice", Role::client, taking(hello, count));
    ASSERT_TRUE(reply.has_refusal());
    EXPECT_EQ(reply.refusal().code(), control::MALFORMED) << count;
  }
  auto newer = taking(hello, 1);
  newer.set_version(protocol_version + 1);
  EXPECT_EQ(ask_dealer(world, "alice", Role::client, newer).refusal().code(), control::VERSION);
  for (int field = 0; field < 4; ++field) {
    auto unknown = taking(hello, 1);
    auto& t = *unknown.mutable_take();
    if (field == 0) (*t.mutable_program())[0] ^= 1;
    if (field == 1) (*t.mutable_mask())[0] ^= 1;
    if (field == 2) (*t.mutable_instance())[0] ^= 1;
    if (field == 3) t.set_epoch(t.epoch() + 1);
    EXPECT_EQ(ask_dealer(world, "alice", Role::client, unknown).refusal().code(), control::PROGRAM) << field;
  }
  world.expect_good();
}

}  // namespace
}  // namespace smpc
