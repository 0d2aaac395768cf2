// What a line costs by arithmetic: without TCP's slow start, and what slow start adds.
#pragma once

#include <cstddef>

#include "relay.h"

namespace smpc::bench {

constexpr double segment_bytes = 1448;    // of payload, at an MTU of 1500 with time stamps
constexpr double initial_segments = 10;   // RFC 6928

// Seconds for `bytes` in `messages` that wait for each other.
double ideal_seconds(double bytes, double messages, LineSpeed speed);

// Seconds that slow start adds to one message of so many bytes, on a connection that has sent nothing: the window starts
// at 10 segments and doubles every round trip, until it is as large as bandwidth times round trip; while it is smaller
// the line idles for a part of each round trip.
double slow_start_seconds(double bytes, LineSpeed speed);

}  // namespace smpc::bench
