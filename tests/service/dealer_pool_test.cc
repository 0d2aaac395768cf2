#include "dealer_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "service/support.h"
#include "smpc/correlation/bundle.h"

namespace smpc {
namespace {

Registration registration(std::uint64_t epoch = 1) {
  Registration r;
  r.server = "urn:smpc:server:s";
  r.instance[0] = std::byte{9};
  r.epoch = epoch;
  r.program = encode(testing::model(Reveal::label).program);
  r.program_hash = sha256(r.program);
  r.mask[0] = std::byte{7};
  r.shared = Key{};
  return r;
}

Plan plan() { return correlation_plan(testing::model(Reveal::label).program); }

BundleHeader wanted(const Registration& r) {
  BundleHeader h;
  h.instance = r.instance;
  h.epoch = r.epoch;
  h.program = r.program_hash;
  h.mask = r.mask;
  return h;
}

const auto patiently = [](std::size_t) {};

TEST(DealerPool, GivesAsManyAsAreAskedForEachOnce) {
  DealerPool pool(2);
  const Registration r = registration();
  pool.add(r, plan());
  std::jthread generator([&](std::stop_token stop) { pool.generate(stop); });
  std::set<Serial> serials;
  std::set<std::string> seeds;
  Registration found;
  for (const std::size_t count : {1U, 20U, 3U}) {
    const auto bundles = pool.take(wanted(r), count, found, patiently);
    ASSERT_EQ(bundles.size(), count);
    EXPECT_EQ(found.server, r.server);
    for (const ReadyBundle& b : bundles) {
      EXPECT_TRUE(serials.insert(b.serial).second);
      EXPECT_TRUE(seeds.insert(to_hex(ByteView(b.client_seed.reveal()))).second);
      EXPECT_EQ(b.corrections.size(), correlation_plan(testing::model(Reveal::label).program).correction_bytes());
    }
  }
}

// One pass over A for all that a client waits for, up to 32; a first client of an empty pool does not wait for 16.
TEST(DealerPool, MakesInOnePassWhatIsWaitedForElseWhatItLacks) {
  EXPECT_EQ(batch_size(16, 0, 0, 1000), 8U);
  EXPECT_EQ(batch_size(2, 0, 0, 1000), 2U);
  EXPECT_EQ(batch_size(16, 0, 8, 1000), 8U);
  EXPECT_EQ(batch_size(100, 0, 8, 1000), 32U);
  EXPECT_EQ(batch_size(16, 0, 16, 1000), 0U);
  EXPECT_EQ(batch_size(16, 1, 0, 1000), 1U);
  EXPECT_EQ(batch_size(16, 32, 0, 1000), 32U);
  EXPECT_EQ(batch_size(16, 32, 16, 1000), 16U);
  EXPECT_EQ(batch_size(0, 64, 0, 1000), 32U);
  EXPECT_EQ(batch_size(0, 0, 0, 1000), 0U);
  EXPECT_EQ(batch_size(16, 3, 10, 1000), 6U);
  // Of large ones, no more than fit.
  EXPECT_EQ(batch_size(16, 0, 0, 3), 3U);
  EXPECT_EQ(batch_size(16, 0, 3, 3), 0U);
  EXPECT_EQ(batch_size(16, 32, 3, 3), 3U);
  EXPECT_EQ(batch_size(16, 1, 0, 1), 1U);
}

TEST(DealerPool, RefusesWhatNobodyRegistered) {
  DealerPool pool(2);
  const Registration r = registration();
  pool.add(r, plan());
  BundleHeader h = wanted(r);
  h.epoch = 2;
  Registration found;
  try {
    pool.take(h, 1, found, patiently);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::no_bundles);
  }
}

// Whoever waits when a newer epoch is registered is refused; bundles of the older one are gone.
TEST(DealerPool, ANewerEpochEndsTheWaitForTheOlder) {
  DealerPool pool(2);
  const Registration r = registration();
  pool.add(r, plan());
  Registration found;
  bool renewed = false;
  try {
    pool.take(wanted(r), 1, found, [&](std::size_t have) {
      EXPECT_EQ(have, 0U);
      EXPECT_FALSE(renewed);
      pool.add(registration(2), plan());
      renewed = true;
    });
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::no_bundles);
  }
  EXPECT_TRUE(renewed);
}

TEST(DealerPool, fault_43_WhoWaitsIsToldThatItStops) {
  DealerPool pool(2);  // that nobody fills
  const Registration r = registration();
  pool.add(r, plan());
  Registration found;
  try {
    pool.take(wanted(r), 1, found, [&](std::size_t) { pool.stop(); });
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::no_bundles);
    EXPECT_NE(std::string(e.what()).find("stopping"), std::string::npos) << e.what();
  }
}

// A client that goes away while it waits leaves the pool as it was, to itself and to others.
TEST(DealerPool, AClientThatGoesAwayWhileItWaits) {
  DealerPool pool(2);
  const Registration r = registration();
  pool.add(r, plan());
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&] {
        Registration found;
        EXPECT_THROW(pool.take(wanted(r), 50, found, [](std::size_t) { fail_peer("gone"); }), Error);
      });
    }
  }
  std::jthread generator([&](std::stop_token stop) { pool.generate(stop); });
  Registration found;
  EXPECT_EQ(pool.take(wanted(r), 3, found, patiently).size(), 3U);
}

}  // namespace
}  // namespace smpc
