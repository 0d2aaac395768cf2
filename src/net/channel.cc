#include "smpc/net/channel.h"

#include <algorithm>
#include <array>

namespace smpc {
namespace {

const char* type_name(std::uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::control: return "a control frame";
    case FrameType::data: return "a data frame";
    case FrameType::bulk: return "a bulk frame";
    case FrameType::refusal: return "a refusal";
  }
  return "a frame of an unknown type";
}

std::string of_bytes(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

// What a peer wrote goes into messages only as printable ASCII.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, longest_refusal));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

}  // namespace

Traffic operator-(const Traffic& after, const Traffic& before) noexcept {
  return {after.sent_bytes - before.sent_bytes, after.received_bytes - before.received_bytes,
          after.sent_frames - before.sent_frames, after.received_frames - before.received_frames};
}

Traffic operator+(const Traffic& a, const Traffic& b) noexcept {
  return {a.sent_bytes + b.sent_bytes, a.received_bytes + b.received_bytes, a.sent_frames + b.sent_frames,
          a.received_frames + b.received_frames};
}

void Channel::check_usable() const {
  if (broken_) fail_peer(peer_identity() + ": expected a working connection, found that it had failed before");
}

void Channel::break_off(const std::string& message) {
  broken_ = true;
  fail_peer(message);
}

void Channel::send(FrameType type, ByteView payload) {
  check_usable();
  ByteWriter header;
  header.u8(static_cast<std::uint8_t>(type));
  header.u64(payload.size());
  broken_ = true;  // half a frame may be out when write throws
  write(header.data(), payload);
  broken_ = false;
  traffic_.sent_bytes += frame_header_bytes + payload.size();
  ++traffic_.sent_frames;
}

void Channel::receive(FrameType type, std::span<std::byte> out) {
  expect_header(type, out.size());
  read_payload(out);
}

Bytes Channel::receive_up_to(FrameType type, std::size_t longest) {
  const std::uint64_t length = read_header(type);
  if (length > longest) {
    break_off(peer_identity() + ": expected " + type_name(static_cast<std::uint8_t>(type)) + " of at most " +
              of_bytes(longest) + ", found one that claims " + of_bytes(length) +
              "; do both sides run the same version?");
  }
  Bytes out(static_cast<std::size_t>(length));
  read_payload(out);
  return out;
}

void Channel::refuse(std::string_view reason) noexcept {
  try {
    send(FrameType::refusal, as_bytes(printable(reason)));
  } catch (const std::exception&) {  // the other side finds a closed connection instead
  }
  close_after_refusal();
}

void Channel::expect_header(FrameType type, std::uint64_t length) {
  const std::uint64_t found = read_header(type);
  if (found != length) {
    break_off(peer_identity() + ": expected " + type_name(static_cast<std::uint8_t>(type)) + " of " + of_bytes(length) +
              ", found one that claims " + of_bytes(found) + "; do both sides run the same version and program?");
  }
}

std::uint64_t Channel::read_header(FrameType type) {
  check_usable();
  if (unread_ != 0) break_off(peer_identity() + ": expected the rest of a frame to be read before the next one");
  std::array<std::byte, frame_header_bytes> bytes{};
  broken_ = true;
  read(bytes);
  broken_ = false;
  traffic_.received_bytes += bytes.size();
  ++traffic_.received_frames;
  ByteReader header(bytes, "frame header");
  const std::uint8_t found = header.u8();
  const std::uint64_t length = header.u64();
  if (found != static_cast<std::uint8_t>(type)) {
    if (found == static_cast<std::uint8_t>(FrameType::refusal)) read_refusal(length);
    break_off(peer_identity() + ": expected " + type_name(static_cast<std::uint8_t>(type)) + ", found " +
              type_name(found) + " (type " + std::to_string(found) + "); do both sides run the same version?");
  }
  unread_ = length;
  return length;
}

void Channel::read_payload(std::span<std::byte> out) {
  check_usable();
  SMPC_CHECK(out.size() <= unread_);
  if (out.empty()) return;
  broken_ = true;
  read(out);
  broken_ = false;
  unread_ -= out.size();
  traffic_.received_bytes += out.size();
}

void Channel::read_refusal(std::uint64_t length) {
  if (length > longest_refusal) {
    break_off(peer_identity() + ": expected a refusal of at most " + of_bytes(longest_refusal) +
              ", found one that claims " + of_bytes(length));
  }
  unread_ = length;
  Bytes text(static_cast<std::size_t>(length));
  read_payload(text);
  broken_ = true;
  throw Refused(peer_identity() + " refused: " + printable(as_text(text)));
}

}  // namespace smpc
