// Frames off a stream: a frame of another type or length is refused before memory is taken for it, every byte is
// counted, and nothing works any more after a failure. The first bytes say what the receiver expects.
#include "fuzz/fuzz.h"
#include "fuzz/stream_channel.h"

namespace smpc::fuzz {
namespace {

// What is expected, two bytes a frame: how, of which type, and how long.
void receive_one(Channel& channel, ByteReader& script) {
  const unsigned how = script.u8();
  const auto type = static_cast<FrameType>(1 + how / 4 % 3);  // nobody waits for a refusal
  const std::size_t length = script.u8() * (how >= 128 ? 16U : 1U);
  if (how % 4 == 0) {
    SMPC_CHECK(channel.receive_up_to(type, length).size() <= length);
  } else if (how % 4 == 1) {
    Bytes piece(1 + length / 3);
    std::size_t whole = 0;
    channel.receive_pieces(type, length, piece, [&](ByteView part) { whole += part.size(); });
    SMPC_CHECK(whole == length);
  } else {
    Bytes out(length);
    channel.receive(type, out);
  }
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  const ByteView bytes = fuzz::bytes_of(data, size);
  if (bytes.empty()) return 0;
  const std::size_t frames = std::min<std::size_t>(std::to_integer<std::size_t>(bytes[0]) % 16, (size - 1) / 2);
  ByteReader script(bytes.subspan(1, 2 * frames), "script");
  const ByteView stream = bytes.subspan(1 + 2 * frames);
  fuzz::StreamChannel channel(stream);
  bool refused = false;
  for (std::size_t i = 0; i < frames; ++i) {
    const bool now = fuzz::refuses([&] { fuzz::receive_one(channel, script); });
    SMPC_CHECK(now || !refused);
    refused = now;
    if (!refused) SMPC_CHECK(channel.traffic().received_bytes == stream.size() - channel.unread());
  }
  SMPC_CHECK(channel.traffic().received_bytes <= stream.size());
  return 0;
}
