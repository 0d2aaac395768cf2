#include "smpc/crypto/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "smpc/base/bytes.h"

namespace smpc {
namespace {

TEST(Random, NoTwoKeysAreEqual) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(to_hex(ByteView(random_key().reveal()))).second);
}

TEST(Random, FillsAllOfIt) {
  for (const std::size_t size : {0U, 1U, 31U, 257U, 1000000U}) {
    Bytes bytes(size);
    std::vector<bool> touched(size);
    for (int round = 0; round < 8; ++round) {
      os_random(bytes);
      for (std::size_t i = 0; i < size; ++i) touched[i] = touched[i] || bytes[i] != std::byte{0};
    }
    EXPECT_EQ(std::count(touched.begin(), touched.end(), false), 0) << size;
  }
}

TEST(Random, AForkedChildDrawsAnotherStream) {  // fault 40
  random_key();                                 // whatever a generator would set up, it has set up by now
  int pipe_ends[2] = {};
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Key key = random_key();
    const bool written = ::write(pipe_ends[1], key.reveal().data(), 32) == 32;
    ::_exit(written ? 0 : 1);
  }
  const Key mine = random_key();
  Bytes theirs(32);
  EXPECT_EQ(::read(pipe_ends[0], theirs.data(), theirs.size()), 32);
  int status = 1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  EXPECT_NE(to_hex(ByteView(mine.reveal())), to_hex(theirs));
  EXPECT_NE(theirs, Bytes(32));
}

}  // namespace
}  // namespace smpc
