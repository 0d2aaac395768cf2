// Compiled once per instruction set (CMakeLists.txt), each time with a name of its own for the function and for the
// namespace Eigen: otherwise the linker would take one copy of Eigen's inline functions for all.
#define Eigen SMPC_EIGEN
#include <Eigen/Core>

namespace smpc::bench {

void SMPC_FLOAT_KERNEL(const float* w, std::size_t outputs, std::size_t inputs, const float* x, std::size_t columns,
                       float* y);

void SMPC_FLOAT_KERNEL(const float* w, std::size_t outputs, std::size_t inputs, const float* x, std::size_t columns,
                       float* y) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(outputs);
  const auto cols = static_cast<Eigen::Index>(inputs);
  const auto batch = static_cast<Eigen::Index>(columns);
  const Eigen::Map<const Matrix> m(w, rows, cols);
  if (columns == 1) {
    Eigen::Map<Eigen::VectorXf>(y, rows).noalias() = m * Eigen::Map<const Eigen::VectorXf>(x, cols);
  } else {
    Eigen::Map<Eigen::MatrixXf>(y, rows, batch).noalias() = m * Eigen::Map<const Eigen::MatrixXf>(x, cols, batch);
  }
}

}  // namespace smpc::bench
