// A channel whose other end is a string of bytes: what the peer sends is given, and what it is sent is counted.
#pragma once

#include <algorithm>
#include <string>

#include "smpc/net/channel.h"

namespace smpc::fuzz {

class StreamChannel final : public Channel {
 public:
  explicit StreamChannel(ByteView from_peer) : left_(from_peer) {}
  void set_deadline(Deadline) override {}
  void close() noexcept override {}
  void cut() noexcept override {}
  const std::string& peer_identity() const noexcept override { return peer_; }
  std::size_t unread() const noexcept { return left_.size(); }

 protected:
  void write(ByteView, ByteView) override {}
  void read(std::span<std::byte> out) override {
    if (out.size() > left_.size()) {
      left_ = {};
      fail_peer(peer_ + ": expected a frame, found the end of the stream");
    }
    std::copy_n(left_.begin(), out.size(), out.begin());
    left_ = left_.subspan(out.size());
  }

 private:
  ByteView left_;
  std::string peer_ = "urn:smpc:client:stream";
};

// A header as it stands on the wire, whether or not the type is one.
inline Bytes frame(std::uint8_t type, ByteView payload) {
  ByteWriter w;
  w.u8(type);
  w.u64(payload.size());
  w.bytes(payload);
  return w.take();
}

}  // namespace smpc::fuzz
