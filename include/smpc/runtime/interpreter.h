// The reference: a program executed in the clear, in fixed point. The two-party execution gives the same bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "smpc/base/error.h"
#include "smpc/program/weights.h"

namespace smpc {

// Every tensor of the program for one volume, tensor 0 being `input` (quantised, in its ring).
std::vector<RingVector> interpret(const Program& program, const Weights& weights, const RingVector& input);

// A volume that the program does not take, by its rule "range", "norm" or "mask".
class VolumeRefusal : public Error {
 public:
  VolumeRefusal(const char* rule, const std::string& message) : Error(ErrorKind::bad_input, message), rule_(rule) {}
  std::string_view rule() const noexcept { return rule_; }

 private:
  const char* rule_;
};

// Fixed point at the edges. quantise rounds to nearest (ties to even) and refuses (VolumeRefusal) a value beyond the
// program's input range or one that is not finite, naming its index but not the value, and a norm beyond its limit. `values` is the whole input; where
// the program has a mask, what is not zero outside is refused too, and the elements inside are gathered. `what` names
// the source.
RingVector quantise(const Program& program, std::span<const double> values, const std::string& what);
std::vector<double> dequantise(const TensorType& type, std::span<const std::uint64_t> values);

// Softmax in double precision.
std::vector<double> softmax(std::span<const double> logits);

}  // namespace smpc
