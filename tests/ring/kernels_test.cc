// The products against a plain loop, on every vector target that this processor has.
#include "smpc/ring/kernels.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <limits>
#include <random>
#include <vector>

#include "smpc/base/bits.h"

namespace smpc {
namespace {

using Words = std::vector<std::uint64_t>;

struct Shape {
  std::size_t rows;
  std::size_t cols;
  std::size_t batch;
};

// Below, at and past every vector width and the column block.
const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {{1, 1, 1},  {3, 1, 2},   {2, 2, 3},   {5, 7, 1},    {4, 8, 4},    {3, 15, 5}, {7, 16, 2},
                                         {2, 17, 3}, {3, 31, 20}, {1, 33, 64}, {9, 40, 6}, {6, 820, 5}, {2, 63, 3},   {9, 65, 2},   {4, 127, 1},
                                         {2, 4095, 2}, {2, 4096, 3}, {3, 4097, 2}, {1, 8193, 1}, {2, 12301, 2}};
  return all;
}

template <class T>
Words plain(const std::vector<T>& m, const Shape& s, const Words& x, Words y, std::size_t rows, std::size_t first) {
  for (std::size_t v = 0; v < s.batch; ++v) {
    for (std::size_t r = 0; r < s.rows; ++r) {
      for (std::size_t c = 0; c < s.cols; ++c) {
        y[v * rows + first + r] +=
            static_cast<std::uint64_t>(static_cast<std::int64_t>(m[r * s.cols + c])) * x[v * s.cols + c];
      }
    }
  }
  return y;
}

// Values at the ends of a type, and in between.
template <class T>
T draw(std::mt19937_64& rng) {
  switch (rng() % 6) {
    case 0: return std::numeric_limits<T>::max();
    case 1: return std::numeric_limits<T>::min();
    case 2: return static_cast<T>(-1);
    case 3: return static_cast<T>(rng() % 2);
    default: return static_cast<T>(rng());
  }
}

template <class T>
std::vector<T> draw_many(std::size_t n, std::mt19937_64& rng) {
  std::vector<T> out(n);
  for (T& v : out) v = draw<T>(rng);
  return out;
}

// Runs `check` once on each target, and puts the choice back.
template <class F>
std::size_t on_every_target(F check) {
  const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  for (const std::int64_t target : targets) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return targets.size();
}

template <class T>
void check_product(std::mt19937_64& rng) {
  for (const Shape& s : shapes()) {
    const std::size_t rows = s.rows + rng() % 4;
    const std::size_t first = rng() % (rows - s.rows + 1);
    const auto m = draw_many<T>(s.rows * s.cols, rng);
    const auto x = draw_many<std::uint64_t>(s.batch * s.cols, rng);
    Words y = draw_many<std::uint64_t>(s.batch * rows, rng);  // what is there is added to
    const Words expected = plain(m, s, x, y, rows, first);
    const Words before = y;
    accumulate_product(std::span<const T>(m), s.cols, x, s.batch, y, rows, first);
    ASSERT_EQ(y, expected) << s.rows << " x " << s.cols << ", batch " << s.batch;
    // A ring of at most 52 bits may be computed in another way; its low bits are the same.
    for (const unsigned bits : {1U, 44U, 52U, 53U}) {
      Words part = before;
      accumulate_product(std::span<const T>(m), s.cols, x, s.batch, part, rows, first, Ring{bits});
      for (std::size_t i = 0; i < y.size(); ++i) {
        ASSERT_EQ(Ring{bits}.reduce(part[i]), Ring{bits}.reduce(expected[i])) << bits << " bits, " << s.cols << " columns";
      }
    }
  }
}

TEST(Kernels, Int16ProductsAreThoseOfAPlainLoopOnEveryTarget) {
  std::mt19937_64 rng(4);
  EXPECT_GE(on_every_target([&] { check_product<std::int16_t>(rng); }), 1U);
}

TEST(Kernels, Int32ProductsAreThoseOfAPlainLoopOnEveryTarget) {
  std::mt19937_64 rng(1);
  EXPECT_GE(on_every_target([&] { check_product<std::int32_t>(rng); }), 1U);
}

TEST(Kernels, Uint64ProductsAreThoseOfAPlainLoopOnEveryTarget) {
  std::mt19937_64 rng(2);
  EXPECT_GE(on_every_target([&] { check_product<std::uint64_t>(rng); }), 1U);
}

TEST(Kernels, TheLargestFactorsWrapAsTheRingDoes) {
  for (const std::size_t cols : {1U, 3U, 64U, 4099U}) {
    on_every_target([&] {
      const Words most(cols, ~std::uint64_t{0});
      const std::vector<std::int32_t> least(cols, std::numeric_limits<std::int32_t>::min());
      Words y(1);
      accumulate_product(std::span<const std::uint64_t>(most), cols, most, 1, y, 1, 0);
      EXPECT_EQ(y[0], cols);  // (-1) * (-1), so many times
      y[0] = 0;
      accumulate_product(std::span<const std::int32_t>(least), cols, most, 1, y, 1, 0);
      EXPECT_EQ(y[0], cols << 31);
    });
  }
}

// A sum taken in by blocks of rows and columns is the product of the whole.
TEST(Kernels, BlocksAddUpToTheProduct) {
  std::mt19937_64 rng(3);
  for (const unsigned bits : {44U, 64U}) {
    const Shape s{11, 67, 7};
    const Ring ring{bits};
    const auto m = draw_many<std::int32_t>(s.rows * s.cols, rng);
    const auto x = draw_many<std::uint64_t>(s.batch * s.cols, rng);
    ProductSum sum(s.rows, s.batch, ring);
    for (std::size_t c = 0; c < s.cols; c += 20) {
      const std::size_t cols = std::min<std::size_t>(20, s.cols - c);
      for (std::size_t r = 0; r < s.rows; r += 5) {
        const std::size_t rows = std::min<std::size_t>(5, s.rows - r);
        sum.add(r, MatrixBlock<std::int32_t>{m.data() + r * s.cols + c, rows, cols, s.cols}, {x.data() + c, s.cols});
      }
    }
    Words y(s.batch * s.rows);
    const Words expected = plain(m, s, x, y, s.rows, 0);
    sum.add_to(y);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(ring.reduce(y[i]), ring.reduce(expected[i])) << bits;
  }
}

TEST(KernelsDeathTest, ShapesThatDoNotFitStopTheProcess) {
  const Words m(6);
  const Words x(4);
  Words y(3);
  EXPECT_DEATH(accumulate_product(std::span<const std::uint64_t>(m), 4, x, 1, y, 3, 0), "internal error");
  EXPECT_DEATH(accumulate_product(std::span<const std::uint64_t>(m), 2, x, 1, y, 3, 0), "internal error");
  EXPECT_DEATH(accumulate_product(std::span<const std::uint64_t>(m), 2, std::span(x).first(2), 1, y, 3, 1),
               "internal error");
}

}  // namespace
}  // namespace smpc
