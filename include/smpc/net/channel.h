// A channel carries frames between two authenticated parties. It knows nothing of what is in them.
//
// On the wire a frame is: u8 type, u64 payload length (little-endian), payload. A receiver always says what it expects,
// and a frame of another type or length is refused before memory is taken for it. One type may come instead of any
// other: `refusal`, a reason in words, after which nothing follows.
//
// Who speaks: the parties take turns. Both may send at once only when each sends at most duplex_bytes in all before it
// receives: a socket holds little more while nobody reads, and two writers that wait for each other meet their
// deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "smpc/base/bytes.h"
#include "smpc/base/error.h"

namespace smpc {

enum class FrameType : std::uint8_t {
  control = 1,  // a protobuf message of the handshake
  data = 2,     // one message of an inference
  bulk = 3,     // a piece of the program, the masked weights or a bundle
  refusal = 4,  // why the sender ends the session; printable ASCII, at most longest_refusal bytes
};

constexpr std::size_t frame_header_bytes = 9;
constexpr std::size_t longest_refusal = 512;
constexpr std::size_t duplex_bytes = std::size_t{32} << 10;

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

// The other side said no, in a refusal frame or by its certificate check: trying again changes nothing by itself.
class Refused : public Error {
 public:
  explicit Refused(const std::string& message) : Error(ErrorKind::peer, message) {}
};

// Every failure (reset, deadline, end without close_notify, wrong type or length) throws a peer Error that says what
// was expected and what was found; after one, every further call throws. One thread uses a channel at a time; cut() alone
// may come from another.
class Channel {
 public:
  virtual ~Channel() = default;  // without close(), the other side sees the connection break off
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
    SMPC_CHECK(!piece.empty());
    expect_header(type, length);
    while (length > 0) {
      const auto part = piece.first(length < piece.size() ? static_cast<std::size_t>(length) : piece.size());
      read_payload(part);
      consume(ByteView(part));
      length -= part.size();
    }
  }
  // Tells the other side why, in a refusal frame, and closes; its pending receive throws Refused with these words.
  // The reason must depend on nothing secret. Never throws.
  void refuse(std::string_view reason) noexcept;

  // Applies to every call from now on.
  virtual void set_deadline(Deadline deadline) = 0;
  // Says goodbye (close_notify) and waits for nothing. Safe to call twice; never throws.
  virtual void close() noexcept = 0;
  // From any thread: every call in progress or to come fails, and the other side sees the connection break off.
  virtual void cut() noexcept = 0;
  // Who is at the other end, as its certificate says: "urn:smpc:ROLE:NAME".
  virtual const std::string& peer_identity() const noexcept = 0;

  const Traffic& traffic() const noexcept { return traffic_; }

 protected:
  // All of it, or an Error.
  virtual void write(ByteView header, ByteView payload) = 0;
  virtual void read(std::span<std::byte> out) = 0;
  // Ends refuse(): like close(), but may wait a moment for the other side to have read the reason.
  virtual void close_after_refusal() noexcept { close(); }

 private:
  void expect_header(FrameType type, std::uint64_t length);
  std::uint64_t read_header(FrameType type);  // the length of a frame of that type
  void read_payload(std::span<std::byte> out);
  [[noreturn]] void read_refusal(std::uint64_t length);
  [[noreturn]] void break_off(const std::string& message);
  void check_usable() const;

  Traffic traffic_;
  std::uint64_t unread_ = 0;  // payload bytes of the current frame that nobody has asked for yet
  bool broken_ = false;
};

// Two ends in one process, for tests and smpc-verify. Either end may be used from its own thread. What is sent is held
// until it is received, without limit, so that one thread may use both ends.
std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> memory_channels(std::string first_identity,
                                                                              std::string second_identity);

}  // namespace smpc
