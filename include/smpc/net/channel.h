// A channel carries frames between two authenticated parties. It knows nothing of what is in them.
//
// On the wire a frame is: u8 type, u64 payload length (little-endian), payload. A receiver always says what it expects,
// and a frame of another type or length is refused before memory is taken for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "smpc/base/bytes.h"

namespace smpc {

enum class FrameType : std::uint8_t {
  control = 1,  // a protobuf message of the handshake
  data = 2,     // one message of an inference
  bulk = 3,     // a piece of the program, the masked weights or a bundle
};

constexpr std::size_t frame_header_bytes = 9;

// Payload bytes above TLS, frame headers included; frames each way.
struct Traffic {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t received_frames = 0;
  friend bool operator==(const Traffic&, const Traffic&) = default;
};
Traffic operator-(const Traffic& after, const Traffic& before) noexcept;
Traffic operator+(const Traffic& a, const Traffic& b) noexcept;

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;  // of a whole phase, not of one read

// Every failure (reset, deadline, end without close_notify, wrong type or length) throws a peer Error that says what
// was expected and what was found. One thread uses a channel at a time.
class Channel {
 public:
  virtual ~Channel() = default;
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(FrameType type, ByteView payload);
  // A frame of exactly out.size() payload bytes, straight into `out`.
  void receive(FrameType type, std::span<std::byte> out);
  // A frame of at most `longest` payload bytes.
  Bytes receive_up_to(FrameType type, std::size_t longest);
  // Like receive, but in pieces as they come: `consume` is called with consecutive pieces of at most `piece` bytes.
  template <class Consume>
  void receive_pieces(FrameType type, std::uint64_t length, std::span<std::byte> piece, Consume&& consume) {
    expect_header(type, length);
    while (length > 0) {
      const auto part = piece.first(length < piece.size() ? static_cast<std::size_t>(length) : piece.size());
      read_payload(part);
      consume(ByteView(part));
      length -= part.size();
    }
  }

  // Applies to every call from now on.
  virtual void set_deadline(Deadline deadline) = 0;
  // Says goodbye (close_notify) and waits for nothing. Safe to call twice; never throws.
  virtual void close() noexcept = 0;
  // Who is at the other end, as its certificate says: "urn:smpc:ROLE:NAME".
  virtual const std::string& peer_identity() const noexcept = 0;

  const Traffic& traffic() const noexcept { return traffic_; }

 protected:
  // All of it, or an Error.
  virtual void write(ByteView header, ByteView payload) = 0;
  virtual void read(std::span<std::byte> out) = 0;

 private:
  void expect_header(FrameType type, std::uint64_t length);
  void read_payload(std::span<std::byte> out);
  Traffic traffic_;
};

// Two ends in one process, for tests and smpc-verify. Either end may be used from its own thread.
std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> memory_channels(std::string first_identity,
                                                                              std::string second_identity);

}  // namespace smpc
