#include "smpc/service/client_progress.h"

namespace smpc {

std::string_view to_text(ClientPhase phase) noexcept {
  switch (phase) {
    case ClientPhase::connecting: return "connecting";
    case ClientPhase::program: return "program";
    case ClientPhase::masked_weights: return "masked_weights";
    case ClientPhase::waiting_for_dealer: return "waiting_for_dealer";
    case ClientPhase::randomness: return "randomness";
    case ClientPhase::masking: return "masking";
    case ClientPhase::inference: return "inference";
  }
  return {};
}

std::string_view description(ClientPhase phase) noexcept {
  switch (phase) {
    case ClientPhase::connecting: return "connecting";
    case ClientPhase::program: return "fetching the program";
    case ClientPhase::masked_weights: return "fetching the masked weights";
    case ClientPhase::waiting_for_dealer: return "waiting for the dealer to make correlated randomness";
    case ClientPhase::randomness: return "taking correlated randomness";
    case ClientPhase::masking: return "masking the volume";
    case ClientPhase::inference: return "inference";
  }
  return {};
}

}  // namespace smpc
