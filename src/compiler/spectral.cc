#include "spectral.h"

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

#include "smpc/base/error.h"

namespace smpc {
namespace {

using Floats = Eigen::MatrixXf;   // column by column
using Doubles = Eigen::MatrixXd;
using Eigen::Index;

constexpr Index block = 1024;                        // columns whose products are summed in float
constexpr double float_unit = 0x1p-24;               // unit roundoff
constexpr double double_unit = 0x1p-53;
constexpr double most_products = 1.6e10;             // of a Gram matrix: seconds, not minutes
constexpr Index largest_gram = 2048;
constexpr int squarings = 5;
constexpr double tight_slack = 1 + 1e-9;  // for the few dozen roundings in double of sums of positive terms below 1e5 long

// gamma_n of Higham, Accuracy and Stability of Numerical Algorithms (2002), Lemma 3.1: n products summed in any order.
double gamma(double n, double unit) { return n * unit / (1 - n * unit); }

// An upper bound of the largest |eigenvalue| of a symmetric matrix. With H the computed square of G and m its side,
// |H - G G|_F <= gamma_m |G|_F^2, so lambda(G)^2 = lambda(G G) <= lambda(H) + gamma_m |G|_F^2; and at last
// lambda(H) <= |H|_F. Scaling by powers of two is exact.
double eigenvalue_bound(Doubles g, int times) {
  const double norm = g.norm() * tight_slack;
  if (times == 0 || !(norm > 0)) return norm;
  const double scale = std::ldexp(1.0, std::ilogb(norm));
  g /= scale;
  const double squared = std::pow(norm / scale, 2) * tight_slack;
  Doubles h(g.rows(), g.cols());
  h.noalias() = g * g;
  const double inner = eigenvalue_bound(std::move(h), times - 1);
  return scale * std::sqrt(inner + gamma(static_cast<double>(g.rows()) + 2, double_unit) * squared) * tight_slack;
}

struct Gram {
  Doubles matrix;
  double trace = 0;  // of the exact Gram matrix, at least: the square of the Frobenius norm
};

// The exact Gram matrix A A^T of A = W D differs from this one by at most `gram_error` times its trace (Frobenius).
// Converting an int32 to float errs by float_unit of it, so a product of two by (2 + float_unit) float_unit; a block's sum
// by gamma_block; and |A_i|.|A_j| <= ||A_i|| ||A_j||, whose squares sum to the trace's square. The sum of blocks in
// double is covered by gamma of the blocks.
double gram_error(double terms) {
  return (gamma(static_cast<double>(block) + 4, float_unit) + gamma(terms / static_cast<double>(block) + 4, double_unit)) * 1.01;
}

Gram gram_of(const WeightMatrix& matrix, std::size_t rows, const std::vector<std::size_t>& used,
             std::size_t columns, std::span<const int> scaling) {
  const auto m = static_cast<Index>(rows);
  Gram g{Doubles::Zero(m, m), 0};
  Floats part(m, block);
  Floats product(m, m);
  for (std::size_t from = 0; from < used.size(); from += block) {
    const std::size_t count = std::min<std::size_t>(block, used.size() - from);
    const std::size_t first = used[from];
    WeightMatrix::Wide values(used[from + count - 1] + 1 - first);
    for (std::size_t r = 0; r < rows; ++r) {
      matrix.read(r * columns + first, values);
      for (std::size_t c = 0; c < count; ++c) {
        const std::size_t column = used[from + c];
        const float v = std::ldexp(static_cast<float>(values[column - first]), scaling[column]);
        part(static_cast<Index>(r), static_cast<Index>(c)) = v;
        g.trace += static_cast<double>(v) * static_cast<double>(v);
      }
    }
    product.setZero();
    product.selfadjointView<Eigen::Lower>().rankUpdate(part.leftCols(static_cast<Index>(count)));
    g.matrix.triangularView<Eigen::Lower>() += product.cast<double>();
  }
  g.matrix = Doubles(g.matrix.selfadjointView<Eigen::Lower>());
  g.trace *= 1 + 1e-6;  // of the floats' rounding and of the sum
  return g;
}

double frobenius(const WeightMatrix& matrix, std::size_t rows, std::size_t columns, std::span<const int> scaling) {
  double squares = 0;
  WeightMatrix::Wide row(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    matrix.read(r * columns, row);
    for (std::size_t c = 0; c < columns; ++c) {
      const double v = std::ldexp(static_cast<double>(row[c]), scaling[c]);
      squares += v * v;
    }
  }
  return std::sqrt(squares) * (1 + 1e-6);
}

}  // namespace

double spectral_norm_bound(const WeightMatrix& matrix, std::size_t rows, std::size_t columns,
                           std::span<const int> scaling) {
  SMPC_CHECK(matrix.size() == rows * columns && scaling.size() == columns);
  std::vector<std::uint8_t> nonzero(columns);
  WeightMatrix::Wide row(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    matrix.read(r * columns, row);
    for (std::size_t c = 0; c < columns; ++c) nonzero[c] |= row[c] != 0 ? 1 : 0;
  }
  std::vector<std::size_t> used;
  for (std::size_t c = 0; c < columns; ++c) {
    if (nonzero[c] != 0) used.push_back(c);
  }
  if (used.empty()) return 0;
  const double products = static_cast<double>(rows) * static_cast<double>(rows) * static_cast<double>(used.size());
  if (static_cast<Index>(rows) > largest_gram || products > most_products) return frobenius(matrix, rows, columns, scaling);
  const Gram g = gram_of(matrix, rows, used, columns, scaling);
  const double lambda = eigenvalue_bound(g.matrix, squarings) + gram_error(static_cast<double>(used.size())) * g.trace;
  return std::sqrt(std::min(lambda, g.trace)) * (1 + 1e-6);
}

}  // namespace smpc
