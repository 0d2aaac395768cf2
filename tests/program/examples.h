// Small programs with every part in them.
#pragma once

#include "smpc/program/program.h"

namespace smpc::testing {

// Linear, ReLU, linear, truncation, linear, and ArgMax where `reveal` is the label.
inline Program example(Reveal reveal = Reveal::label) {
  Program p;
  p.reveal = reveal;
  p.input_shape = {2, 3, 1};
  p.input_range = 12.5;
  p.input_norm = 30;
  Grid grid;
  grid.shape = {2, 3, 1};
  for (std::size_t i = 0; i < grid.affine.size(); ++i) grid.affine[i] = i % 5 == 0 ? -4.0 : 0.25;
  p.grid = grid;
  p.tensors = {{6, 10, Ring{40}}, {4, 20, Ring{40}}, {4, 9, Ring{33}}, {3, 18, Ring{33}},
               {3, 18 - 7, Ring{29}}, {3, 20, Ring{29}}};
  p.ops = {{"first", LinearOp{6, 4}}, {"relu", ReluOp{11}},       {"second", LinearOp{4, 3}},
           {"cut", TruncateOp{7}},    {"third", LinearOp{3, 3}}};
  p.labels = {"rest", "motor \xc3\xa4", ""};
  if (reveal == Reveal::label) {
    p.ops.push_back({"argmax", ArgMaxOp{}});
    p.tensors.push_back({1, 0, Ring{2}});
  }
  return p;
}

}  // namespace smpc::testing
