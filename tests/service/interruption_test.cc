// What stops or changes in the middle: the line to the dealer, the server's model, the store of bundles.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "net/raw_tls.h"
#include "service/support.h"

namespace smpc::testing {
namespace {

// Passes one connection on to a port, and closes it once so many bytes have come back from there.
class CutLine {
 public:
  CutLine(std::uint16_t to, std::size_t bytes) : left_(bytes), thread_([this, to] { pass_on(to); }) {}
  ~CutLine() { thread_.join(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(socket_.port()); }
  std::size_t passed() {  // once it is closed
    thread_.join();
    thread_ = std::thread([] {});
    return passed_;
  }

 private:
  void pass_on(std::uint16_t to) {
    const test::RawSocket near = socket_.accept();
    const test::RawSocket far = test::RawSocket::dial(to);
    pollfd waiting[2] = {{near.get(), POLLIN, 0}, {far.get(), POLLIN, 0}};
    std::array<char, 4096> buffer{};
    while (left_ > 0 && ::poll(waiting, 2, -1) > 0) {
      for (int i = 0; i < 2; ++i) {
        if (waiting[i].revents == 0) continue;
        const std::size_t most = i == 0 ? buffer.size() : std::min(buffer.size(), left_);
        const ssize_t n = ::read(waiting[i].fd, buffer.data(), most);
        if (n <= 0 || !(i == 0 ? far : near).write({buffer.data(), static_cast<std::size_t>(n)})) return;
        if (i == 0) continue;
        passed_ += static_cast<std::size_t>(n);
        left_ -= static_cast<std::size_t>(n);
      }
    }
  }

  const test::RawSocket socket_ = test::RawSocket::listen();
  std::size_t left_;
  std::size_t passed_ = 0;
  std::thread thread_;
};

TEST(Interruption, fault_24_NoHalfBundleIsAcceptedWhereverTheDealerBreaksOff) {
  World world;
  const std::uint16_t dealer = static_cast<std::uint16_t>(std::stoi(world.dealer_address().substr(10)));
  const auto take_two = [&](CutLine& line) {
    ClientOptions options = world.client_options();
    options.dealer = line.address();
    ClientService client(world.identity("alice", Role::client), std::move(options));
    return failure_of([&] {
      client.connect();
      client.prefetch(2);
    });
  };
  std::size_t whole = 0;
  {
    CutLine line(dealer, 1 << 30);
    ASSERT_FALSE(take_two(line));
    whole = line.passed();
  }
  ASSERT_EQ(world.stored().size(), 2U);
  world.expect_good("alice", 2);
  int broken = 0;
  for (std::size_t at = 1; at < whole; at += whole / 48) {
    CutLine line(dealer, at);
    const auto failure = take_two(line);
    if (!failure) {  // what is left is the goodbye
      ASSERT_EQ(world.stored().size(), 2U) << at;
      world.expect_good("alice", 2);
      continue;
    }
    ++broken;
    EXPECT_EQ(failure->kind, ErrorKind::peer) << failure->text;
    ASSERT_EQ(world.stored().size(), 0U) << "cut after " << at << " of " << whole << " bytes";
  }
  EXPECT_GT(broken, 40);
  world.expect_good();
}

TEST(Interruption, fault_31_BundlesAreCountedBeforeTheStart) {
  World world;
  world.client("bob")->prefetch(2);
  world.stop_dealer();
  const auto three = world.volumes(3);
  const auto failure = failure_of([&] { world.client("bob")->infer(three); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::no_bundles);
  EXPECT_NE(failure->text.find("3 bundles are needed and 2 are stored"), std::string::npos) << failure->text;
  EXPECT_EQ(world.serials_used(), 0);
  EXPECT_EQ(world.stored("bob").size(), 2U);
  world.expect_good("bob", 2);
}

TEST(Interruption, fault_15_AModelThatChangesBetweenTwoSessionsOfOneRunEndsItUnspent) {
  World world;
  const auto client = world.client();
  client->connect();
  client->prefetch(1);
  client->disconnect();
  const std::string address = world.server_address();
  world.stop_server();
  world.use_weights(other_weights(world.mlp()));
  world.start_server(address);
  const auto failure = failure_of([&] { client->infer(world.volumes(1)); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_NE(failure->text.find("changed its model meanwhile"), std::string::npos) << failure->text;
  EXPECT_EQ(world.serials_used(), 0);
  world.expect_good("bob");  // by the new weights
}

// To the server's operator it looks like no fault.
TEST(Interruption, AClientThatRefusesItsOwnInputTakesLeave) {
  World world(Reveal::label, {.max_sessions = 1});
  ASSERT_EQ(world.client()->prefetch(1), 1U);
  world.client()->connect();
  const auto failure = failure_of([&] {
    world.client()->infer(1, []() -> RingVector { fail_input("out of range"); });
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text, "out of range");
  world.dial("bob");  // the server has ended alice's session before it takes this one
  for (const std::string& line : world.server_lines()) EXPECT_EQ(line.find("alice"), std::string::npos) << line;
  world.stop_server();
  EXPECT_EQ(world.serials_used(), 0);
}

}  // namespace
}  // namespace smpc::testing
