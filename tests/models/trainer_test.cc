#include "trainer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smpc::demo {
namespace {

TEST(Trainer, LearnsTheSameWithOneThreadAndWithThree) {
  const SubjectMaker maker(networks());
  Trainer one(maker, quick_plan(), 1);
  Trainer three(maker, quick_plan(), 3);
  EXPECT_EQ(one.step(), three.step());
  for (std::size_t n = 0; n < layer_count; ++n) {
    EXPECT_TRUE(one.mlp().layers[n].weight == three.mlp().layers[n].weight) << "layer " << n;
    EXPECT_TRUE(one.mlp().layers[n].bias == three.mlp().layers[n].bias) << "layer " << n;
  }
}

TEST(Mlp, SoftmaxSumsToOneAndKeepsTheOrder) {
  Matrix logits(2, 3);
  logits << 1, 2, 3, -200, 0, 200;
  const Matrix p = softmax(logits);
  EXPECT_NEAR(p.row(0).sum(), 1, 1e-6);
  EXPECT_NEAR(p(0, 2) / p(0, 1), 2.7182818F, 1e-5);
  EXPECT_FLOAT_EQ(p(1, 2), 1);
}

TEST(Mlp, SpreadsItsFirstLayerOverTheGrid) {
  Matrix weight(2, 3);
  weight << 1, 2, 3, 4, 5, 6;
  const std::vector<std::uint32_t> brain{0, 7, 109349};
  const std::vector<float> whole = spread_weights(weight, brain);
  ASSERT_EQ(whole.size(), 2 * voxel_count);
  EXPECT_EQ(whole[0], 1);
  EXPECT_EQ(whole[7], 2);
  EXPECT_EQ(whole[109349], 3);
  EXPECT_EQ(whole[109350], 4);
  EXPECT_EQ(whole[109357], 5);
  EXPECT_EQ(whole[2 * 109350 - 1], 6);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), 0.0F), static_cast<std::ptrdiff_t>(2 * voxel_count - 6));
}

}  // namespace
}  // namespace smpc::demo
