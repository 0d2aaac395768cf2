// How a model ends, by its nodes alone. Both builders go by it (network_builder.h, graph_builder.h); what needs shapes, whether
// there is one row, they say themselves.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "smpc/model/model.h"

namespace smpc {

// Nodes are named by their first output.
struct Ending {
  // The Softmax, LogSoftmax or ArgMax that ends the model, read by nothing but what is in `after`; empty: none does.
  std::string node;
  // What comes after it and leaves its results what they are: other shapes, floating-point types (of an index whole numbers
  // too), Dropout, a Clip to 0 to 1 or more.
  std::set<std::string> after;
  // A Clip after a Softmax that is meant to change something, such as 1e-7 to 1 - 1e-7: the results are probabilities still, but
  // the Softmax has to be computed.
  bool guarded = false;
  // A Softmax or LogSoftmax that the ArgMax at the end alone reads. The largest stays the largest: it need not be computed.
  std::string below;
  // Of two outputs, the one that is the index of the largest of the other's, which a Softmax gives: its ArgMax and what comes after
  // it. Whoever has the probabilities has the index.
  std::string label;
  std::set<std::string> after_label;
  std::string label_output;
  // What the model ends in, without the above, is computed by a linear op.
  bool linear = false;
};

Ending ending_of(const Model& model);

}  // namespace smpc
