#include "smpc/net/address.h"

#include "net/support.h"

namespace smpc::test {
namespace {

TEST(Address, ReadsNamesAndBothKindsOfAddress) {
  EXPECT_EQ(parse_host_port("127.0.0.1:7200"), (HostPort{"127.0.0.1", 7200}));
  EXPECT_EQ(parse_host_port("smpc.example.org:65535"), (HostPort{"smpc.example.org", 65535}));
  EXPECT_EQ(parse_host_port("[::1]:0"), (HostPort{"::1", 0}));
}

TEST(Address, WritesWhatItReads) {
  for (const char* text : {"127.0.0.1:7200", "localhost:1", "[fe80::1]:9"})
    EXPECT_EQ(parse_host_port(text).text(), text);
}

TEST(Address, RefusesAnythingElse) {
  for (const char* text : {"", "localhost", ":7200", "localhost:", "localhost:x", "localhost:65536", "localhost:-1",
                           "::1:7200", "[]:1", "[::1:1", "localhost:7200 "}) {
    EXPECT_HAS(error_of([&] { parse_host_port(text); }, ErrorKind::usage), "expected HOST:PORT, as in 127.0.0.1:7200");
  }
}

}  // namespace
}  // namespace smpc::test
