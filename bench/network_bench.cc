// One volume over a line of given bandwidth and latency: measured through the relay, beside what arithmetic says.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <iostream>
#include <thread>

#include "line_model.h"
#include "machine.h"
#include "setup.h"

namespace smpc::bench {
namespace {

using nlohmann::json;

struct Arguments {
  std::string demo;
  double mbit = 100;
  double latency_ms = 20;
  std::size_t runs = 10;
};

// A TCP peer on loopback for the self check: answers every `ask` bytes with one.
class Answerer {
 public:
  explicit Answerer(std::size_t ask) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(fd_, 1) != 0) {
      throw std::runtime_error("self check: cannot listen");
    }
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    thread_ = std::jthread([this, ask] { answer(ask); });
  }
  ~Answerer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  const std::string& address() const { return address_; }

 private:
  void answer(std::size_t ask) const {
    const int peer = ::accept(fd_, nullptr, nullptr);
    std::vector<char> buffer(1 << 16);
    std::size_t have = 0;
    for (ssize_t n = 0; (n = ::recv(peer, buffer.data(), buffer.size(), 0)) > 0;) {
      have += static_cast<std::size_t>(n);
      for (; have >= ask; have -= ask) {
        if (::send(peer, "a", 1, MSG_NOSIGNAL) != 1) break;
      }
    }
    ::close(peer);
  }
  int fd_;
  std::string address_;
  std::jthread thread_;
};

// The least time from sending `bytes` in one burst until the answer of one byte is there.
double exchange(LineSpeed speed, std::size_t bytes, int repetitions) {
  const Answerer answerer(bytes);
  const Relay relay(answerer.address(), speed);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(relay.port());
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("self check: no relay");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::vector<char> burst(bytes, 'q');
  double least = 1e9;
  for (int i = 0; i < repetitions; ++i) {
    const double start = seconds_now();
    for (std::size_t done = 0; done < bytes;) {
      const ssize_t n = ::send(fd, burst.data() + done, bytes - done, MSG_NOSIGNAL);
      if (n <= 0) throw std::runtime_error("self check: the relay hung up");
      done += static_cast<std::size_t>(n);
    }
    char answer = 0;
    if (::recv(fd, &answer, 1, 0) != 1) throw std::runtime_error("self check: no answer");
    least = std::min(least, seconds_now() - start);
  }
  ::close(fd);
  return least;
}

std::string percent(double measured, double nominal) { return text_of("%+.1f %%", 100 * (measured / nominal - 1)); }

// True where all is within 5 %.
bool self_check(LineSpeed speed) {
  std::cout << row({"self check of the relay", "nominal", "measured", "difference"}) << repeated_dashes(4);
  bool fine = true;
  const auto line = [&](const std::string& what, std::size_t bytes, int repetitions) {
    const double nominal = ideal_seconds(static_cast<double>(bytes + 1), 2, speed);
    const double measured = exchange(speed, bytes, repetitions);
    fine = fine && std::abs(measured / nominal - 1) < 0.05;
    std::cout << row({what, text_of("%.2f ms", 1e3 * nominal), text_of("%.2f ms", 1e3 * measured), percent(measured, nominal)});
  };
  line("1 byte there and back", 1, 20);
  line("a burst of 650,000 bytes, 1 byte back", 650'000, 5);
  line("16 MB, 1 byte back", 16'000'000, 1);
  std::cout << "\n";
  return fine;
}

void print_slow_start(double bytes, LineSpeed speed) {
  std::cout << "\nTCP's slow start, which the relay leaves out, adds " << text_of("%.0f ms", 1e3 * slow_start_seconds(bytes, speed))
            << " to a first message of " << text_of("%.0f B", bytes) << " on such a line, if the connection has sent nothing yet "
            << "(window of 10 segments of 1,448 B, doubled every round trip of " << text_of("%.0f ms", 2e3 * speed.latency)
            << ", until it holds " << text_of("%.0f kB", speed.bits_per_second / 8e3 * 2 * speed.latency)
            << "). A connection that has just carried as much adds nothing.\n";
}

void bench(const Arguments& a) {
  const LineSpeed speed{a.mbit * 1e6, a.latency_ms / 1e3};
  const DemoFiles files = demo_files(a.demo);
  std::cout << describe_machine() << "line       " << a.mbit << " Mbit/s, " << a.latency_ms
            << " ms one way, each direction; TCP_NODELAY on both sides of the relay\n\n";
  const bool faithful = self_check(speed);
  Deployment d({"--model", files.model(), "--reveal", "logits", "--no-quota"});
  d.start();
  d.prefetch(a.runs);  // before the relay: masked weights are there
  const Relay relay("127.0.0.1:" + d.server_port, speed);
  d.server_port = std::to_string(relay.port());
  std::vector<double> seconds;
  json online;
  for (std::size_t i = 0; i < a.runs; ++i) {
    online = d.client({"--image", files.scan()})["cost"]["online"];
    seconds.push_back(online["seconds"]);
  }
  const Sample measured = summary(seconds);
  const double ideal =
      ideal_seconds(online["sent"].get<double>() + online["received"].get<double>(), online["messages"], speed);
  const json e = explain(files.model(), {"--reveal", "logits", "--bandwidth", text_of("%gMbps", a.mbit), "--latency",
                                         text_of("%gms", a.latency_ms)});
  const double predicted = e["line_seconds"];
  const auto compared = [&](const std::string& what, double s) {
    std::cout << row({what, text_of("%.1f ms", 1e3 * s), percent(measured.least, s), percent(measured.median, s),
                      "within 15 %", measured.median / s < 1.15 && measured.median / s > 0.85 ? "yes" : "**no**"});
  };
  std::cout << row({"one volume, " + std::to_string(measured.count) + " runs: least " + text_of("%.1f ms", 1e3 * measured.least) +
                        ", median " + text_of("%.1f ms", 1e3 * measured.median),
                    "says", "least against it", "median against it", "wanted", "reached"})
            << repeated_dashes(6);
  compared("bytes / bandwidth + messages x latency", ideal);
  compared("smpc-compile --explain", predicted);
  print_slow_start(online["sent"], speed);
  if (!faithful) throw std::runtime_error("the relay is more than 5 % away from what it should be: is the machine busy?");
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  CLI::App app("One volume over a line of given bandwidth and latency, made by a relay on loopback.", "smpc_bench_network");
  smpc::bench::Arguments a;
  app.add_option("--demo", a.demo, "folder of smpc-demo-model's files (default: made once in the build folder)");
  app.add_option("--mbit", a.mbit, "bandwidth of each direction, Mbit/s")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--ms", a.latency_ms, "latency one way, ms")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--runs", a.runs, "inferences")->check(CLI::PositiveNumber)->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] { smpc::bench::bench(a); });
}
