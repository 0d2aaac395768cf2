// One party's whole run against a peer that sends whatever it likes: the run is refused, or ends with a result of the
// right size. The first byte chooses party and program; the rest is the peer's messages, of the right lengths as far as
// it goes.
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "fuzz/stream_channel.h"

namespace smpc::fuzz {
namespace {

Bytes frames_of(const Schedule& schedule, Party from, ByteView content) {
  Bytes stream;
  for (const Message& m : schedule.messages) {
    if (m.from != from || content.empty()) continue;
    const ByteView payload = content.first(std::min(m.bytes, content.size()));
    content = content.subspan(payload.size());
    const Bytes f = frame(static_cast<std::uint8_t>(FrameType::data), payload);
    stream.insert(stream.end(), f.begin(), f.end());
  }
  return stream;
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  if (size == 0) return 0;
  const fuzz::SmallRun& setting = fuzz::small_run(data[0]);
  const Party party = data[0] / fuzz::run_kinds % 2 == 0 ? Party::server : Party::client;
  const Bytes stream = fuzz::frames_of(setting.schedule(), other(party), fuzz::bytes_of(data, size).subspan(1));
  fuzz::StreamChannel channel(stream);
  const auto source = setting.source(party);
  PartyRun run = setting.run(party, *source);
  fuzz::refuses([&] {
    run.execute(channel);
    if (party == Party::server) return;
    const Program& p = setting.program();
    const std::size_t one = p.reveal == Reveal::label ? 1 : p.classes();
    SMPC_CHECK(run.result().size() == one * fuzz::run_volumes);
  });
  return 0;
}
