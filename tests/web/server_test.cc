// The server as whoever connects sees it: who is let in, what is refused, what every answer carries.
#include <algorithm>

#include "net/support.h"
#include "page_world.h"
#include "smpc/report/background.h"

namespace smpc::testing {
namespace {

using namespace std::chrono_literals;

// What a connection says before it closes, given these bytes.
std::string spoken(std::uint16_t port, const std::string& bytes) {
  RawHttp http(port);
  http.send(bytes);
  std::string all;
  for (std::string part = http.receive_some(); !part.empty(); part = http.receive_some()) all += part;
  return all;
}

void expect_rules(const HttpReply& reply) {
  EXPECT_EQ(reply.headers.at("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
  EXPECT_EQ(reply.headers.at("referrer-policy"), "no-referrer");
  EXPECT_EQ(reply.headers.at("cache-control"), "no-store");
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(reply.headers.at("x-frame-options"), "DENY");
}

TEST(PageServer, ServesThePageAndNothingElseOfTheFileSystem) {
  PageWorld page;
  const HttpReply index = page.get("");
  EXPECT_EQ(index.status, 200U);
  EXPECT_EQ(index.body, "<!doctype html><title>page</title>");
  EXPECT_EQ(index.headers.at("content-type"), "text/html; charset=utf-8");
  const HttpReply background = page.get("background.nii.gz");
  EXPECT_EQ(background.body, as_text(mni_background()));
  EXPECT_EQ(background.headers.at("content-type"), "application/gzip");
  const HttpReply script = page.get("assets/page.js");
  EXPECT_EQ(script.body, "export {};");
  EXPECT_EQ(script.headers.at("content-type"), "text/javascript; charset=utf-8");
  for (const char* path : {"..", "../index.html", "assets/../index.html", "assets/", "assets", "assets//page.js", "/etc/passwd",
                           "../../../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/index.html", "./index.html", "index.html",
                           "assets/page.js%00", "api", "api/", "api/model/", "api/run/", "api/run//", "api/run/1", "api/run/1/x"}) {
    const HttpReply reply = page.get(path);
    EXPECT_EQ(reply.status, 404U) << path;
    EXPECT_EQ(reply.json()["error"]["exit_code"], 2) << path;
  }
}

TEST(PageServer, WhoeverHasNoBusinessHereGetsAnEmpty404) {
  PageWorld page;
  const std::string port = std::to_string(page.port());
  const std::string root = page.token();
  const std::string host = "Host: 127.0.0.1:" + port + "\r\n";
  const std::string post = "Content-Length: 2\r\n\r\n{}";
  for (const std::string& request : {
           "GET / HTTP/1.1\r\n" + host + "\r\n",
           "GET /favicon.ico HTTP/1.1\r\n" + host + "\r\n",
           "GET /" + std::string(43, 'A') + "/ HTTP/1.1\r\n" + host + "\r\n",
           "GET " + root + "api/model HTTP/1.1\r\n\r\n",
           "GET " + root + " HTTP/1.1\r\nHost: evil.example:" + port + "\r\n\r\n",
           "GET " + root + " HTTP/1.1\r\n" + host + host + "\r\n",
           "GET " + root + "api/model HTTP/1.1\r\n" + host + "Origin: http://evil.example\r\n\r\n",
           "POST " + root + "api/run HTTP/1.1\r\n" + host + post,
           "POST " + root + "api/run HTTP/1.1\r\n" + host + "Origin: null\r\n" + post,
           "OPTIONS " + root + "api/run HTTP/1.1\r\n" + host + "Origin: http://evil.example\r\n\r\n",
       }) {
    RawHttp http(page.port());
    http.send(request);
    const HttpReply reply = http.receive();
    EXPECT_EQ(reply.status, 404U) << request;
    EXPECT_EQ(reply.body, "") << request;
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_EQ(reply.headers.count("access-control-allow-origin"), 0U);
    expect_rules(reply);
  }
}

TEST(PageServer, EveryAnswerCarriesTheRules) {
  PageWorld page;
  const std::string run = (page.get("api/model"), page.upload(page.scan()), page.start_run({{"scan", "1"}}));
  for (const char* path : {"", "assets/page.js", "api/model", "api/scan", "api/run", "no/such/path", "api/run/1/events"}) {
    expect_rules(page.get(path));
  }
  expect_rules(page.post("api/run", "no JSON"));
  expect_rules(page.get("api/run/1/results.csv"));
}

TEST(PageServer, AnotherMethodIsRefusedNamingTheRightOne) {
  PageWorld page;
  const auto ask = [&](const std::string& method, const std::string& path) {
    RawHttp http(page.port());
    http.send(page.head(method, page.token() + path, "Origin: " + page.origin() + "\r\n") + "\r\n");
    return http.receive();
  };
  const std::vector<std::array<std::string, 3>> cases = {
      {"POST", "", "GET"},         {"DELETE", "assets/page.js", "GET"},     {"POST", "api/model", "GET"},
      {"GET", "api/scan", "POST"}, {"GET", "api/run", "POST"},         {"DELETE", "api/run", "POST"},
      {"POST", "api/run/1/events", "GET"}, {"GET", "api/run/1/cancel", "POST"}, {"POST", "api/run/1/results.csv", "GET"},
      {"POST", "api/run/1/report.html", "GET"}};
  for (const auto& [method, path, allowed] : cases) {
    const HttpReply reply = ask(method, path);
    EXPECT_EQ(reply.status, 405U) << method << " " << path;
    EXPECT_EQ(reply.headers.at("allow"), allowed);
  }
}

TEST(PageServer, HeadersAndBodiesThatAreTooLongAreRefused) {
  PageWorld page;
  RawHttp header(page.port());
  header.send(page.head("GET", page.token(), "X: " + std::string(1 << 15, 'x') + "\r\n") + "\r\n");
  EXPECT_EQ(header.receive().status, 431U);

  const std::string post = page.head("POST", page.token() + "api/run", "Origin: " + page.origin() + "\r\n");
  RawHttp body(page.port());
  body.send(post + "Content-Length: 65537\r\n\r\n");
  EXPECT_EQ(body.receive().status, 413U);
  RawHttp chunked(page.port());
  chunked.send(post + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + std::string(65537, ' '));
  EXPECT_EQ(chunked.receive().status, 413U);
  RawHttp longest(page.port());
  longest.send(post + "Content-Length: 65536\r\n\r\n" + std::string(65536, ' '));
  EXPECT_EQ(longest.receive().status, 400U);  // long, and no JSON

  RawHttp scan(page.port());
  scan.send(page.head("POST", page.token() + "api/scan?name=a.nii", "Origin: " + page.origin() + "\r\nContent-Length: 4294967297\r\n") +
            "\r\n");
  const HttpReply refused = scan.receive();
  EXPECT_EQ(refused.status, 413U);
  EXPECT_EQ(refused.json()["error"]["message"], "expected a scan of at most 4294967296 bytes, found more");
}

TEST(PageServer, WhatIsNoHttpIsRefused) {
  PageWorld page;
  for (const std::string& bytes : {std::string("nonsense\r\n\r\n"), std::string("\x16\x03\x01\x02\x00\x01\x00", 7) + std::string(100, 'x') + "\r\n\r\n",
                                   "GET / HTTP/9.9\r\n\r\n" + std::string(),
                                   page.head("POST", page.token() + "api/run", "Content-Length: 2\r\nContent-Length: 3\r\n") + "\r\n{}",
                                   page.head("POST", page.token() + "api/run", "Content-Length: -1\r\n") + "\r\n{}",
                                   page.head("GET", page.token(), "No colon here\r\n") + "\r\n"}) {
    EXPECT_TRUE(spoken(page.port(), bytes).starts_with("HTTP/1.1 400 ")) << bytes;
  }
  RawHttp old(page.port());
  old.send("GET " + page.token() + " HTTP/1.0\r\nHost: 127.0.0.1:" + std::to_string(page.port()) + "\r\n\r\n");
  EXPECT_EQ(old.receive().status, 400U);
  EXPECT_EQ(page.get("").status, 200U);
}

TEST(PageServer, SlowClientsAreCutAndDelayNobody) {
  PageWorld page(Reveal::label, [](UiOptions& o) { o.patience = 300ms; });
  RawHttp silent(page.port());
  RawHttp half(page.port());
  half.send(page.head("GET", page.token()));
  RawHttp body(page.port());
  const std::string post = "Origin: " + page.origin() + "\r\nContent-Length: 100\r\n";
  body.send(page.head("POST", page.token() + "api/run", post) + "\r\n{");
  RawHttp scan(page.port());
  scan.send(page.head("POST", page.token() + "api/scan?name=a.nii", post) + "\r\nhalf");
  EXPECT_EQ(page.get("").status, 200U);
  for (RawHttp* http : {&silent, &half, &body, &scan}) EXPECT_EQ(http->receive_some(), "");
  EXPECT_EQ(page.post("api/run", R"({"scan": "1"})").status, 404U);  // half a scan is none
}

TEST(PageServer, AConnectionServesOneRequestAfterAnother) {
  PageWorld page;
  RawHttp http(page.port());
  for (int i = 0; i < 3; ++i) {
    http.send(page.head("GET", page.token()) + "\r\n");
    EXPECT_EQ(http.receive().status, 200U);
  }
  // Two at once, and the body of one that was read is not taken for the next.
  http.send(page.head("POST", page.token() + "api/run", "Origin: " + page.origin() + "\r\nContent-Length: 2\r\n") + "\r\n{}" +
            page.head("GET", page.token() + "assets/page.js") + "\r\n");
  EXPECT_EQ(http.receive().status, 400U);
  EXPECT_EQ(http.receive().body, "export {};");
}

TEST(PageServer, OneConnectionTooManyCutsOneThatIsIdle) {
  PageWorld page(Reveal::label, [](UiOptions& o) {
    o.max_connections = 3;
    o.patience = 10min;  // none leaves by itself
  });
  std::vector<std::unique_ptr<RawHttp>> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(std::make_unique<RawHttp>(page.port()));
    idle.back()->send(page.head("GET", page.token()) + "\r\n");
    EXPECT_EQ(idle.back()->receive().status, 200U);
  }
  EXPECT_EQ(page.get("").status, 200U);
  std::size_t left = 0;
  for (const auto& http : idle) {
    http->send(page.head("GET", page.token()) + "\r\n");
    left += http->receive_some().starts_with("HTTP/1.1 200 ");
  }
  EXPECT_EQ(left, 2U);
}

TEST(PageServer, ManyAtOnceAreAllServed) {
  PageWorld page;
  std::vector<std::thread> threads;
  std::atomic<int> served{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) served += page.get("assets/page.js").status == 200;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(served, 160);
}

TEST(PageServer, ListensOnTheLoopbackInterfaceAloneAndSaysWhenItCannot) {
  PageWorld page;
  EXPECT_TRUE(page.server().url().starts_with("http://127.0.0.1:"));
  for (const char* address : {"127.0.0.2", "::1"}) EXPECT_THROW(RawHttp(page.port(), address), std::exception) << address;
  UiOptions taken;
  taken.port = page.port();
  taken.page = page.temporary();
  std::ofstream(taken.page / "index.html") << "x";
  const Identity& alice = page.world().identity("alice", Role::client);
  EXPECT_HAS(test::error_of([&] { UiServer(alice, taken); }), "127.0.0.1:" + std::to_string(page.port()) + ": expected to listen there");
}

TEST(PageServer, APageThatWasNotBuiltIsRefusedSayingWhatToInstall) {
  World world;
  UiOptions options;
  options.page = world.state("nowhere");
  const Identity& alice = world.identity("alice", Role::client);
  const std::string words = test::error_of([&] { UiServer(alice, options); }, ErrorKind::bad_input);
  EXPECT_HAS(words, options.page.string());
  EXPECT_HAS(words, "node and npm");
  options.server = "no port";
  test::error_of([&] { UiServer(alice, options); }, ErrorKind::usage);
}

}  // namespace
}  // namespace smpc::testing
