// A TCP relay that makes loopback behave like a line: each direction has a bandwidth and a one-way latency.
//
// A byte that the relay reads at time t is passed on at max(t, when the byte before it left the line) + 8 / bandwidth
// + latency: the same for a burst and for a trickle. Bytes are TCP's payload, as the peers write it (TLS included, TCP
// and IP headers not). The line never refuses a byte: its queue has no limit. What it leaves out of a real line: loss,
// and TCP's slow start (line_model.h computes that).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace smpc::bench {

struct LineSpeed {
  double bits_per_second = 0;  // 0: no limit
  double latency = 0;          // seconds, one way
};

class Relay {
 public:
  // Listens on 127.0.0.1, on a port of its own unless `port` names one; each connection is joined to HOST:PORT `target`
  // (an IPv4 address). Throws std::runtime_error where it cannot listen.
  Relay(const std::string& target, LineSpeed speed, std::uint16_t port = 0);
  ~Relay();  // cuts what is open
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const noexcept;

  struct Counts {
    std::uint64_t to_target = 0;  // bytes read so far
    std::uint64_t to_client = 0;
    std::optional<double> first_byte;  // when the first byte for the target came (seconds_now)
  };
  Counts counts() const;
  void reset_counts();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc::bench
