// Who may come in.
#include "guard.h"

#include <gtest/gtest.h>

#include <set>

namespace smpc::web {
namespace {

const std::string token(43, 'T');

Request request(const std::string& method = "GET") {
  Request r;
  r.method = method;
  r.target = "/" + token + "/api/model";
  r.hosts = {"127.0.0.1:7000"};
  if (method != "GET") r.origins = {"http://127.0.0.1:7000"};
  return r;
}

TEST(Token, Is32RandomBytesInBase64Url) {
  std::set<std::string> seen;
  std::set<char> last;
  for (int i = 0; i < 2000; ++i) {
    const std::string t = make_token();
    EXPECT_EQ(t.size(), 43U);
    EXPECT_EQ(t.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), t.npos);
    EXPECT_TRUE(seen.insert(t).second);
    last.insert(t.back());
  }
  // The last character carries four bits: all sixteen values, and none that needs the two bits that are not there.
  EXPECT_EQ(std::string(last.begin(), last.end()), "048AEIMQUYcgkosw");
}

TEST(Guard, AdmitsThePageAndGivesWhatIsBeyondTheToken) {
  const Guard guard(token, 7000);
  EXPECT_EQ(guard.admit(request()), "api/model");
  EXPECT_EQ(guard.admit(request("POST")), "api/model");
  for (const char* host : {"localhost:7000", "127.0.0.1:7000"}) {
    Request r = request("POST");
    r.hosts = {host};
    r.origins = {std::string("http://") + host};
    EXPECT_TRUE(guard.admit(r)) << host;
  }
  Request root = request();
  root.target = "/" + token + "/";
  EXPECT_EQ(guard.admit(root), "");
}

TEST(Guard, RefusesEveryOtherToken) {
  const Guard guard(token, 7000);
  std::vector<std::string> targets = {"",  "/", "*", token + "/", "/" + token, "//" + token + "/", "/" + token + "x/",
                                      "/" + token.substr(1) + "/", "/" + token + token + "/", "http://127.0.0.1:7000/" + token + "/",
                                      "/%54" + token.substr(1) + "/"};
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    wrong[i] = 'U';
    targets.push_back("/" + wrong + "/");
  }
  for (const std::string& target : targets) {
    Request r = request();
    r.target = target;
    EXPECT_FALSE(guard.admit(r)) << target;
  }
}

TEST(Guard, RefusesANameThatWasMadeToPointHere) {
  const Guard guard(token, 7000);
  const std::vector<std::vector<std::string>> wrong = {
      {}, {""}, {"evil.example:7000"}, {"127.0.0.1"}, {"127.0.0.1:7001"}, {"127.0.0.1:70000"}, {"localhost"}, {"[::1]:7000"},
      {"127.0.0.1:7000.evil.example"}, {"evil.example", "127.0.0.1:7000"}, {"127.0.0.1:7000", "127.0.0.1:7000"}};
  for (const auto& hosts : wrong) {
    Request r = request();
    r.hosts = hosts;
    EXPECT_FALSE(guard.admit(r)) << (hosts.empty() ? "none" : hosts.front());
  }
}

TEST(Guard, RefusesRequestsOfOtherSitesPages) {
  const Guard guard(token, 7000);
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "OPTIONS"}) {
    for (const char* origin : {"", "null", "https://127.0.0.1:7000", "http://127.0.0.1", "http://127.0.0.1:7001",
                               "http://evil.example", "http://127.0.0.1:7000.evil.example", "http://127.0.0.1:7000/"}) {
      Request r = request(method);
      r.origins = {origin};
      EXPECT_FALSE(guard.admit(r)) << method << " " << origin;
    }
    Request twice = request(method);
    twice.origins = {"http://127.0.0.1:7000", "http://evil.example"};
    EXPECT_FALSE(guard.admit(twice));
  }
}

TEST(Guard, WantsAnOriginOfAllThatIsNoGet) {
  const Guard guard(token, 7000);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "HEAD", "get"}) {
    Request r = request(method);
    r.origins.clear();
    EXPECT_FALSE(guard.admit(r)) << method;
  }
}

TEST(Guard, OnTheUsualPortOfTheWebTheNumberMayBeMissing) {
  const Guard guard(token, 80);
  Request r = request("POST");
  r.hosts = {"127.0.0.1"};
  r.origins = {"http://127.0.0.1"};
  EXPECT_TRUE(guard.admit(r));
  r.hosts = {"evil.example"};
  EXPECT_FALSE(guard.admit(r));
}

}  // namespace
}  // namespace smpc::web
