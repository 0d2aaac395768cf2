// Small programs with every part in them.
#pragma once

#include "smpc/program/program.h"

namespace smpc::testing {

// Linear, ReLU, linear, truncation, linear, and ArgMax where `reveal` is the label.
inline Program example(Reveal reveal = Reveal::label) {
  Program p;
  p.reveal = reveal;
  p.inputs = {{"x", {2, 3, 1}, -12.5, 12.5}};
  p.input_norm = 30;
  Grid grid;
  grid.shape = {2, 3, 1};
  for (std::size_t i = 0; i < grid.affine.size(); ++i) grid.affine[i] = i % 5 == 0 ? -4.0 : 0.25;
  p.grid = grid;
  p.tensors = {{6, 10, Ring{40}}, {4, 20, Ring{40}}, {4, 9, Ring{33}}, {3, 18, Ring{33}},
               {3, 18 - 7, Ring{29}}, {3, 20, Ring{29}}};
  p.ops = {{"first", LinearOp{6, 4}}, {"relu", ReluOp{11}},       {"second", LinearOp{4, 3}},
           {"cut", TruncateOp{7}},    {"third", LinearOp{3, 3}}};
  p.outputs = {{"y", {3}}};
  p.labels = {"rest", "motor \xc3\xa4", ""};
  if (reveal == Reveal::label) {
    p.ops.push_back({"argmax", ArgMaxOp{}});
    p.tensors.push_back({1, 0, Ring{2}});
  }
  return p;
}

// Every op that the one above lacks.
inline Program example_graph() {
  Program p;
  p.suite = Suite::masked;
  p.reveal = Reveal::logits;
  p.inputs = {{"left", {1, 5, 4}, -2, 2}, {"right", {5, 4, 1}, 0, 2}};
  p.inputs[1].picture = PictureRule{5, 4, 1, true, 1.0 / 255, {0.5}, {0.25}};
  p.outputs = {{"y", {2, 3}}, {"z", {2}}};
  ConvOp conv;
  conv.shape.in_channels = 2;
  conv.shape.out_channels = 2;
  conv.shape.axes[1] = {5, 3, 3, 2, 1, 1, 1};
  conv.shape.axes[2] = {4, 4, 3, 1, 1, 1, 1};
  WindowSumOp windows;
  windows.shape.groups = 2;
  windows.shape.axes[1] = {3, 2, 2, 1, 1, 1, 0};
  windows.shape.axes[2] = {4, 2, 2, 2, 1, 1, 0};
  const Ring wide{30};
  p.tensors = {{40, 4, wide}, {24, 9, wide}, {24, 9, wide}, {24, 9, wide}, {24, 9, wide},     {8, 9, wide},
               {8, 9, wide},  {4, 9, wide},  {12, 9, wide}, {4, 18, Ring{28}}, {4, 0, Ring{9}}, {8, 3, Ring{12}}};
  p.ops = {{"conv", conv},
           {"bias", BiasOp{}},
           {"sum", SumOp{{1, -2}, 7}, {1, 2}},
           {"scale", ScaleOp{2, 1, std::vector<std::int64_t>(12, 3)}},
           {"windows", windows},
           {"transpose", TransposeOp{{2, 4}, {1, 0}}},
           {"take", TakeOp{2, 4, 1, {3, -1}}},
           {"concat", ConcatOp{2}, {6, 7}},
           {"product", ProductOp{4, 1, 3, 1}, {8, 8}},
           {"step", StepOp{}},
           {"lookup", LookupOp{2, {1, -2, 3, -4, 5, 6, 7, 8}}}};
  return p;
}

}  // namespace smpc::testing
