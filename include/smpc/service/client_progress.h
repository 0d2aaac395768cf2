// What a client tells while it works; the same for a terminal, a page and a study.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace smpc {

enum class ClientPhase {
  connecting,          // to the server or the dealer
  program,             // being fetched
  masked_weights,      // being fetched; bytes
  waiting_for_dealer,  // who makes bundles; bundles
  randomness,          // bundles taken
  masking,             // volumes of a batch read, quantised and joined with their masks
  inference,           // messages of a batch
};
std::string_view to_text(ClientPhase phase) noexcept;      // "masked_weights"
std::string_view description(ClientPhase phase) noexcept;  // "fetching the masked weights"

// What is going on. Nothing here depends on a volume's values.
struct ClientProgress {
  ClientPhase phase = ClientPhase::connecting;
  std::uint64_t done = 0;
  std::uint64_t whole = 0;      // 0 when unknown
  std::string_view layer;       // inference: the op that waits for the next message
  std::uint64_t sent = 0;       // in this phase so far, frame headers included
  std::uint64_t received = 0;
  double seconds = 0;           // since the phase began
  std::size_t volumes_done = 0; // whose results are there
  std::size_t volumes = 0;      // of this call; 0 for a prefetch
};

}  // namespace smpc
