#include "map_norm.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "bounds.h"
#include "graph_windows.h"

namespace smpc {
namespace {

using ComplexMatrix = Eigen::MatrixXcd;
using Eigen::Index;

// Frequencies along an axis, and how much larger the polynomial may be between them.
struct FrequencyGrid {
  std::size_t points = 1;
  double factor = 1;
};

FrequencyGrid grid_of(const ConvAxis& a, std::size_t finest) {
  if (a.kernel == 1) return {};
  const std::size_t torus = (a.input - 1) * a.spread + 1 + (a.kernel - 1) * a.dilation;
  const std::size_t degree = a.kernel / 2;
  const std::size_t points = finest * degree;
  if (torus <= points) return {torus, 1};
  return {points, 1 / std::cos(std::numbers::pi / static_cast<double>(finest))};
}

double frobenius(std::span<const float> w) {
  double squares = 0;
  for (const float v : w) squares += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(squares) * slack;
}

// At least the largest singular value.
template <class Matrix>
double matrix_norm(const Matrix& w) {
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
  const Matrix g = w.rows() <= w.cols() ? Matrix(w * w.adjoint()) : Matrix(w.adjoint() * w);
  const double trace = std::real(g.trace());
  if (!(trace > 0)) return 0;
  const Index n = g.rows();
  // An estimate from below, by the power method.
  Vector v = g.rowwise().sum() + Vector::Constant(n, Scalar(trace));
  double estimate = trace / static_cast<double>(n);
  for (int i = 0; i < 30; ++i) {
    v.normalize();
    const Vector next = g * v;
    estimate = std::max(estimate, next.norm());
    v = next;
  }
  // What rounding in G and in the factorisation may hide.
  const auto hidden = [&](double bound) {
    const auto side = static_cast<double>(n);
    return 1e-14 * (side + static_cast<double>(w.rows() + w.cols())) * trace + 1e-15 * side * side * bound;
  };
  for (double bound = estimate * 1.01; bound < trace; bound *= 1.05) {
    const Matrix rest = Matrix::Identity(n, n) * Scalar(bound) - g;
    if (Eigen::LLT<Matrix>(rest).info() == Eigen::Success) return std::sqrt(std::min(bound + hidden(bound), trace)) * slack;
  }
  return std::sqrt(trace) * slack;
}

class Norm {
 public:
  Norm(const ConvShape& s, std::span<const float> w, double most_steps) : s_(s), w_(w), most_steps_(most_steps) {}

  double bound() const {
    const std::size_t one = s_.out_channels * s_.columns();
    double largest = 0;
    for (std::size_t g = 0; g < s_.groups; ++g) largest = std::max(largest, of_group(w_.subspan(g * one, one)));
    return largest;
  }

 private:
  double of_group(std::span<const float> w) const {
    for (const std::size_t finest : {16U, 8U, 6U, 4U}) {
      const std::array<FrequencyGrid, 3> grids{grid_of(s_.axes[0], finest), grid_of(s_.axes[1], finest), grid_of(s_.axes[2], finest)};
      // Half of the frequencies are those of the other half; complex numbers take four multiplications, or three.
      const double frequencies = static_cast<double>(grids[0].points * grids[1].points * grids[2].points / 2 + 1);
      const auto groups = static_cast<double>(s_.groups);
      if (frequencies * 4 * steps(s_.out_channels, s_.in_channels) * groups > most_steps_) continue;
      const double bound = on_grid(w, grids);
      return finest == 16 ? bound : std::min(bound, of_windows(w));
    }
    return of_windows(w);
  }

  static double steps(std::size_t rows, std::size_t columns) {
    const auto small = static_cast<double>(std::min(rows, columns));
    const auto large = static_cast<double>(std::max(rows, columns));
    return small * small * (large + small);
  }

  // The kernel as a matrix meets every window, and a place lies in so many windows at most.
  double of_windows(std::span<const float> w) const {
    double windows = 1;
    for (const ConvAxis& a : s_.axes) windows *= std::sqrt(static_cast<double>(most_windows(a)));
    if (steps(s_.out_channels, s_.columns()) * static_cast<double>(s_.groups) > most_steps_) return frobenius(w) * windows;
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> rows(
        w.data(), static_cast<Index>(s_.out_channels), static_cast<Index>(s_.columns()));
    return matrix_norm(Eigen::MatrixXd(rows.cast<double>())) * windows;
  }

  double on_grid(std::span<const float> w, const std::array<FrequencyGrid, 3>& grids) const {
    const std::size_t frequencies = grids[0].points * grids[1].points * grids[2].points;
    double largest = 0;
    for (std::size_t f = 0; f < frequencies; ++f) {
      const std::array<std::size_t, 3> at{f / grids[2].points / grids[1].points, f / grids[2].points % grids[1].points, f % grids[2].points};
      // The opposite frequency has the conjugate matrix.
      std::size_t opposite = 0;
      for (std::size_t i = 0; i < 3; ++i) opposite = opposite * grids[i].points + (grids[i].points - at[i]) % grids[i].points;
      if (opposite < f) continue;
      largest = std::max(largest, matrix_norm(transform(w, grids, at)));
    }
    return largest * grids[0].factor * grids[1].factor * grids[2].factor;
  }

  ComplexMatrix transform(std::span<const float> w, const std::array<FrequencyGrid, 3>& grids, const std::array<std::size_t, 3>& at) const {
    const std::size_t window = s_.columns() / s_.in_channels;
    std::vector<std::complex<double>> phase(window);
    std::size_t k = 0;
    for (std::size_t a = 0; a < s_.axes[0].kernel; ++a) {
      for (std::size_t b = 0; b < s_.axes[1].kernel; ++b) {
        for (std::size_t c = 0; c < s_.axes[2].kernel; ++c) {
          const std::array<std::size_t, 3> place{a, b, c};
          double turns = 0;
          for (std::size_t i = 0; i < 3; ++i) {
            // On a torus that is the map's own, places are as far apart as there; elsewhere the polynomial counts.
            const std::size_t far = grids[i].factor == 1 ? s_.axes[i].dilation : 1;
            turns += static_cast<double>(place[i] * far * at[i] % grids[i].points) / static_cast<double>(grids[i].points);
          }
          phase[k++] = std::polar(1.0, 2 * std::numbers::pi * turns);
        }
      }
    }
    ComplexMatrix out = ComplexMatrix::Zero(static_cast<Index>(s_.out_channels), static_cast<Index>(s_.in_channels));
    for (std::size_t o = 0; o < s_.out_channels; ++o) {
      for (std::size_t i = 0; i < s_.in_channels; ++i) {
        std::complex<double> sum = 0;
        for (std::size_t p = 0; p < window; ++p) sum += static_cast<double>(w[(o * s_.in_channels + i) * window + p]) * phase[p];
        out(static_cast<Index>(o), static_cast<Index>(i)) = sum;
      }
    }
    return out;
  }

  const ConvShape& s_;
  std::span<const float> w_;
  double most_steps_;
};

}  // namespace

double map_norm_bound(const ConvShape& shape, std::span<const float> weights, double most_steps) {
  return Norm(shape, weights, most_steps).bound();
}

}  // namespace smpc
