#include "bound_check.h"

#include <gtest/gtest.h>

namespace smpc::tools {
namespace {

TEST(BoundCheck, HoldsUpToTheBoundAndWhereNoneIsStated) {
  EXPECT_TRUE((BoundCheck{0.05, 0, 576}.holds()));
  EXPECT_TRUE((BoundCheck{0.05, 0.05, 576}.holds()));
  EXPECT_TRUE((BoundCheck{0.05, 0.05 + 1e-7, 576}.holds()));  // rounding in double, of so large a value
  EXPECT_TRUE((BoundCheck{std::nullopt, 512, 576}.holds()));
  EXPECT_EQ((BoundCheck{0.05, 0.01, 576}.text()), "within 0.05 of float, as the compiler states");
  EXPECT_EQ((BoundCheck{std::nullopt, 512, 576}.text()), "no bound of the error is stated");
}

TEST(BoundCheck, FailsBeyondTheBoundAndSaysSoInOneLine) {
  const BoundCheck far{0.05, 512, 576};
  EXPECT_FALSE(far.holds());
  EXPECT_EQ(far.text(), "expected within 0.05 of float, as the compiler states, found 512: do not use this program, and report it");
  EXPECT_FALSE((BoundCheck{0.05, 0.05001, 576}.holds()));
  EXPECT_FALSE((BoundCheck{0.05, std::nan(""), 576}.holds()));
}

}  // namespace
}  // namespace smpc::tools
