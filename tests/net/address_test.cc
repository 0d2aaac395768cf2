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

TEST(Host, NamesAndAddressesAreTaken) {
  const std::string label(63, 'a');
  for (const std::string& host : {std::string("localhost"), std::string("smpc.example.org"), std::string("a-b.c3.D"), std::string("3com.example"),
                                  std::string("xn--klnik-6qa.example"), std::string("192.0.2.7"), std::string("::1"), std::string("2001:db8::1"),
                                  label + "." + label}) {
    EXPECT_EQ(host_problem(host), "") << host;
    EXPECT_EQ(host_problem(host, true), "") << host;
  }
  EXPECT_EQ(host_problem("*.example.org", true), "");
}

TEST(Host, NothingElseIs) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "nothing"},
      {"https://example.org", "a URL"},
      {"example.org/x", "a URL or a path"},
      {"example.org:7200", "a host with a port"},
      {"[::1]", "brackets"},
      {"[::1]:7200", "brackets"},
      {"2001:db8::1::2", "a colon, and no IPv6 address"},
      {"example.org.", "a dot at the end"},
      {".example.org", "an empty part"},
      {"a..b", "an empty part"},
      {"a_b.example", "a character that no host name has"},
      {"a b", "a character that no host name has"},
      {"a,DNS:b", "a colon"},
      {"127.0.0.1 ", "a character that no host name has"},
      {std::string("a\0b", 3), "a character that no host name has"},
      {"-a.example", "begins or ends with -"},
      {"a-.example", "begins or ends with -"},
      {std::string(64, 'a') + ".example", "more than 63"},
      {std::string(250, 'a') + ".org", "more than 253"},
      {"klinik\xc3\xa4.example", "letters beyond ASCII: give the name's ASCII form, xn--..."},
      {"300.1.2.3", "a number at its end, and no IPv4 address"},
      {"1.2.3", "a number at its end"},
      {"*", "a wildcard"},
      {"*.org", "a wildcard in front of less than two parts"},
      {"a*.example.org", "a wildcard that is not the whole first part"},
      {"a.*.example.org", "a wildcard that is not the whole first part"},
      {"*.*.example.org", "a wildcard that is not the whole first part"}};
  for (const auto& [host, problem] : wrong) EXPECT_NE(host_problem(host, true).find(problem), std::string::npos) << host << ": " << host_problem(host, true);
  EXPECT_NE(host_problem("*.example.org"), "");
}

}  // namespace
}  // namespace smpc::test
