// Control messages as frames.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "control.pb.h"
#include "smpc/base/error.h"
#include "smpc/net/channel.h"

namespace smpc {

constexpr std::uint32_t protocol_version = 3;
constexpr std::size_t longest_control = std::size_t{1} << 20;
// What either side waits for at most.
constexpr std::chrono::minutes transfer_time{60};  // the masked weights over a slow line
constexpr std::chrono::minutes run_time{10};       // one inference

template <class Message>
void send_control(Channel& channel, const Message& message) {
  std::string text;
  SMPC_CHECK(message.SerializeToString(&text));
  channel.send(FrameType::control, as_bytes(text));
}

template <class Message>
Message receive_control(Channel& channel) {
  const Bytes bytes = channel.receive_up_to(FrameType::control, longest_control);
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail_peer("the peer: expected a control message, found something that cannot be read");
  }
  return message;
}

// The peer said no, and why.
class Refusal : public Error {
 public:
  Refusal(ErrorKind kind, const std::string& message, control::Code code) : Error(kind, message), code_(code) {}
  control::Code code() const noexcept { return code_; }

 private:
  control::Code code_;
};

// "quota", "spent", ...: which rule a refusal goes by, for the audit log.
std::string rule_of(control::Code code);

void refuse(Channel& channel, control::Code code, const std::string& text);
void send_ready(Channel& channel, std::uint32_t count = 0);

// Waits for Ready; a refusal becomes an Error of the given kind, and `on_wait` sees what is there so far.
template <class OnWait>
control::Ready expect_ready(Channel& channel, const std::string& who, ErrorKind refusal_kind, OnWait on_wait) {
  while (true) {
    const auto reply = receive_control<control::Reply>(channel);
    if (reply.has_ready()) return reply.ready();
    if (reply.has_waiting()) {
      on_wait(reply.waiting().have(), reply.waiting().want());
      continue;
    }
    if (!reply.has_refusal()) fail_peer(who + ": expected an answer, found an empty one");
    throw Refusal(refusal_kind, who + " refused: " + reply.refusal().text(), reply.refusal().code());
  }
}
control::Ready expect_ready(Channel& channel, const std::string& who, ErrorKind refusal_kind = ErrorKind::peer);

inline std::string text_of(ByteView b) { return std::string(as_text(b)); }
// A peer error unless `text` has exactly the size.
template <std::size_t N>
std::array<std::byte, N> array_of(const std::string& text, const std::string& what) {
  if (text.size() != N) fail_peer(what + ": expected " + std::to_string(N) + " bytes, found " + std::to_string(text.size()));
  std::array<std::byte, N> out;
  const ByteView b = as_bytes(text);
  std::copy(b.begin(), b.end(), out.begin());
  return out;
}

// "expected version 1, found 2; update ..."
std::string version_mismatch(std::uint32_t theirs, const std::string& whom);

}  // namespace smpc
