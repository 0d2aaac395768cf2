// What protocol and runtime tests share: a local run whose cost must be the predicted one.
#pragma once

#include <gtest/gtest.h>

#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/local_run.h"

namespace smpc::testing {

inline LocalRun run_two_party(const Program& program, const Weights& weights, const RingVector& input,
                              std::size_t volumes) {
  LocalRun run = run_locally(program, weights, input, volumes);
  EXPECT_EQ(run.measured, predicted_cost(make_schedule(program, correlation_plan(program), volumes)));
  return run;
}

}  // namespace smpc::testing
