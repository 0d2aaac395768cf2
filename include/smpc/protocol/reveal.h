// Opening a result to the client: the server sends its shares, the client adds its own. The server learns nothing.
// Levels: 1. Server sends count * l bits. The client sees the result, and shares that are uniform given it.
#pragma once

#include <memory>

#include "smpc/protocol/op.h"

namespace smpc {

Known declare_reveal(std::size_t count, Ring ring, Known in, HalfList& halves);

// output(): on the client's side the values in the clear; on the server's its shares.
std::unique_ptr<PartyOp> reveal_op(std::size_t count, Ring ring, Party party, PartyOp& input);

}  // namespace smpc
