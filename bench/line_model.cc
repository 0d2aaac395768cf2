#include "line_model.h"

namespace smpc::bench {

double ideal_seconds(double bytes, double messages, LineSpeed speed) {
  return 8 * bytes / speed.bits_per_second + messages * speed.latency;
}

double slow_start_seconds(double bytes, LineSpeed speed) {
  const double round_trip = 2 * speed.latency;
  double added = 0;
  for (double window = initial_segments * segment_bytes; bytes > window; window *= 2) {
    const double busy = 8 * window / speed.bits_per_second;
    if (busy >= round_trip) break;
    added += round_trip - busy;
    bytes -= window;
  }
  return added;
}

}  // namespace smpc::bench
