// Many connections at once, bad ones among them, and how a listener ends.
#include <future>
#include <set>

#include "net/raw_tls.h"
#include "net/support.h"

namespace smpc::test {
namespace {

void echo(Channel& channel, const PeerName&) {
  channel.send(FrameType::control, as_bytes("ready"));
  channel.send(FrameType::control, channel.receive_up_to(FrameType::control, 100));
}

void expect_served(const Served& served) {
  const auto channel = connect(served, authority().identity(Role::client));
  EXPECT_EQ(channel->receive_up_to(FrameType::control, 5).size(), 5U);
  channel->send(FrameType::control, as_bytes("hello"));
  EXPECT_EQ(as_text(channel->receive_up_to(FrameType::control, 5)), "hello");
}

TEST(Listener, GivesEverySessionItsThread) {
  Served served(authority().identity(Role::server), allowing({Role::client}), echo);
  std::vector<std::unique_ptr<Channel>> open;
  for (int i = 0; i < 20; ++i) open.push_back(connect(served, authority().identity(Role::client)));
  for (auto it = open.rbegin(); it != open.rend(); ++it) {  // the last first: none waits for another
    (*it)->receive_up_to(FrameType::control, 5);
    (*it)->send(FrameType::control, as_bytes("x"));
    EXPECT_EQ(as_text((*it)->receive_up_to(FrameType::control, 1)), "x");
  }
  EXPECT_EQ(served.sessions(), 20);
  EXPECT_EQ(served.failures(), 0U);
}

TEST(Listener, fault_29_AboveTheCapIsToldSoAndClosed) {
  ListenerOptions options = allowing({Role::client});
  options.max_sessions = 2;
  options.queue_patience = 20ms;
  Served served(authority().identity(Role::server), options, echo);
  std::vector<std::unique_ptr<Channel>> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(connect(served, authority().identity(Role::client)));
    open.back()->receive_up_to(FrameType::control, 5);
  }
  for (int i = 0; i < 20; ++i) {
    const auto extra = connect(served, authority().identity(Role::client));
    EXPECT_EQ(error_of<Refused>([&] { extra->receive_up_to(FrameType::control, 5); }),
              "urn:smpc:server:server refused: busy: all 2 sessions are taken; try again later");
  }
  open.front()->send(FrameType::control, as_bytes("x"));
  open.front()->receive_up_to(FrameType::control, 1);
  EXPECT_HAS(error_of([&] { open.front()->receive_up_to(FrameType::control, 1); }), "has ended the session");
  while (true) {  // its place is free once its thread has ended
    try {
      expect_served(served);
      break;
    } catch (const Refused&) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(served.sessions(), 3);
}

// Of one identity: others come in, and it does so itself once one of its own has ended. Those that wait count, too.
TEST(Listener, OneIdentityHasNoMoreSessionsThanItMay) {
  ListenerOptions options = allowing({Role::client});
  options.max_sessions = 3;
  options.max_sessions_per_peer = 2;
  Served served(authority().identity(Role::server), options, echo);
  const Identity other = Identity::load(authority().issue("other", Role::client), Role::client);
  std::vector<std::unique_ptr<Channel>> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(connect(served, authority().identity(Role::client)));
    open.back()->receive_up_to(FrameType::control, 5);
  }
  for (int i = 0; i < 3; ++i) {
    const auto extra = connect(served, authority().identity(Role::client));
    EXPECT_HAS(error_of<Refused>([&] { extra->receive_up_to(FrameType::control, 5); }),
               "busy: all 2 sessions that urn:smpc:client:client may have at once are taken");
  }
  const auto of_another = connect(served, other);
  of_another->receive_up_to(FrameType::control, 5);
  open.front()->send(FrameType::control, as_bytes("x"));
  open.front()->receive_up_to(FrameType::control, 1);
  while (true) {  // its place is free once its thread has ended
    try {
      expect_served(served);
      break;
    } catch (const Refused&) {
      std::this_thread::yield();
    }
  }
}

TEST(Listener, fault_29_TheQueueIsServedAndIsBounded) {
  ListenerOptions options = allowing({Role::client});
  options.max_sessions = 1;
  options.max_queue = 2;
  options.queue_patience = plenty;
  Served served(authority().identity(Role::server), options, echo);
  const auto first = connect(served, authority().identity(Role::client));
  first->receive_up_to(FrameType::control, 5);
  std::vector<std::future<std::string>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::async(std::launch::async, [&] {
      const auto channel = connect(served, authority().identity(Role::client));
      try {
        channel->receive_up_to(FrameType::control, 5);
        channel->send(FrameType::control, as_bytes("x"));
        return std::string(as_text(channel->receive_up_to(FrameType::control, 1)));
      } catch (const Refused& e) {
        return std::string(e.what());
      }
    }));
  }
  EXPECT_HAS(served.failure(), "busy: all 1 sessions are taken");  // the one too many, while the others wait
  EXPECT_EQ(served.sessions(), 1);
  first->send(FrameType::control, as_bytes("x"));
  std::multiset<std::string> ends;
  for (auto& o : others) ends.insert(o.get());
  EXPECT_EQ(ends.count("x"), 2U);
  EXPECT_EQ(served.failures(), 1U);
  EXPECT_EQ(served.sessions(), 3);
}

TEST(Listener, WhoWaitsInTheQueueIsToldThatItStops) {
  ListenerOptions options = allowing({Role::client});
  options.max_sessions = 1;
  options.queue_patience = plenty;
  Served served(authority().identity(Role::server), options, echo);
  const auto first = connect(served, authority().identity(Role::client));
  first->receive_up_to(FrameType::control, 5);
  const auto second = connect(served, authority().identity(Role::client));
  served.listener().stop(brief);
  // In the queue, or just before it: either way it is told.
  EXPECT_HAS(error_of([&] { second->receive_up_to(FrameType::control, 5); }), "stop");
  EXPECT_EQ(served.sessions(), 1);
}

TEST(Listener, ManyWhoComeAtOnceWaitToBeAccepted) {
  ListenerOptions options = allowing({Role::client});
  options.max_handshakes = 2;
  options.handshake_turn = plenty;
  Served served(authority().identity(Role::server), options, echo);
  std::vector<std::future<void>> peers;
  for (int i = 0; i < 40; ++i) peers.push_back(std::async(std::launch::async, [&] { expect_served(served); }));
  for (auto& p : peers) p.get();
  EXPECT_EQ(served.failures(), 0U);
  EXPECT_EQ(served.sessions(), 40);
}

TEST(Listener, fault_26_TwoHundredDrippingConnectionsDelayNobody) {
  ListenerOptions options = allowing({Role::client});
  options.handshake_timeout = 2s;
  options.max_sessions = 4;
  Served served(authority().identity(Role::server), options, echo);
  std::vector<RawSocket> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(RawSocket::dial(served.port()));
    EXPECT_TRUE(slow.back().write("\x16"));  // the first byte of a handshake
  }
  for (int i = 0; i < 5; ++i) expect_served(served);
  for (const RawSocket& peer : slow) peer.write("\x03");
  expect_served(served);
  for (const RawSocket& peer : slow) EXPECT_EQ(peer.read_all(), "");  // all dropped
  expect_served(served);
  while (served.failures() < 200) std::this_thread::yield();
}

TEST(Listener, TooManyHandshakesCutTheOldest) {
  ListenerOptions options = allowing({Role::client});
  options.max_handshakes = 3;
  options.handshake_turn = 10ms;
  Served served(authority().identity(Role::server), options, echo);
  std::vector<RawSocket> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(RawSocket::dial(served.port()));
  EXPECT_EQ(silent.front().read_all(), "");
  expect_served(served);
}

TEST(Listener, StopWaitsForSessions) {
  const Identity identity = authority().identity(Role::server);
  Listener listener(identity, allowing({Role::client}));
  std::thread running([&] { listener.run(echo); });
  const auto channel = tls_connect("127.0.0.1:" + std::to_string(listener.port()), authority().identity(Role::client),
                                   Role::server, within(plenty));
  channel->receive_up_to(FrameType::control, 5);
  listener.stop(plenty);
  channel->send(FrameType::control, as_bytes("x"));
  EXPECT_EQ(as_text(channel->receive_up_to(FrameType::control, 1)), "x");
  running.join();
  EXPECT_THROW(tls_connect("127.0.0.1:" + std::to_string(listener.port()), authority().identity(Role::client),
                           Role::server, within(plenty)),
               NobodyListens);
}

TEST(Listener, StopCutsSessionsAfterItsGrace) {
  Served served(authority().identity(Role::server), allowing({Role::client}),
                [](Channel& channel, const PeerName& peer) {
                  channel.set_deadline(within(plenty));
                  echo(channel, peer);
                });
  const auto channel = connect(served, authority().identity(Role::client));
  channel->receive_up_to(FrameType::control, 5);
  served.listener().stop(brief);
  EXPECT_HAS(error_of([&] { channel->receive_up_to(FrameType::control, 5); }), "cut without a goodbye");
  EXPECT_HAS(served.failure(), "expected to go on, found that this side is stopping");
}

TEST(Listener, ASecondStopShortensTheGrace) {
  Served served(authority().identity(Role::server), allowing({Role::client}), echo);
  const auto channel = connect(served, authority().identity(Role::client));
  channel->receive_up_to(FrameType::control, 5);
  served.listener().stop(1h);
  served.listener().stop(2h);
  served.listener().stop(0ms);
  EXPECT_HAS(error_of([&] { channel->receive_up_to(FrameType::control, 5); }), "cut without a goodbye");
}

TEST(Listener, AnAddressThatIsTakenIsRefused) {
  const RawSocket taken = RawSocket::listen();
  ListenerOptions options = allowing({Role::client});
  options.listen = "127.0.0.1:" + std::to_string(taken.port());
  EXPECT_HAS(error_of([&] { const Listener second(authority().identity(Role::server), options); }),
             "found that this cannot be: Address already in use");
}

}  // namespace
}  // namespace smpc::test
