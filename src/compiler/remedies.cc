#include "remedies.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "smpc/base/error.h"

namespace smpc {
namespace {

// By which ranges are made smaller: of less, nothing would be left of an input at a coarse scale.
constexpr std::array<int, 3> factors = {4, 16, 256};
// Fewer fractional bits than the compiler takes by itself.
constexpr std::array<int, 4> scales = {8, 4, 2, 0};

class Trial {
 public:
  Trial(CompileState& state, const std::function<bool()>& fits) : s_(state), fits_(fits), options_(state.options), inputs_(state.inputs) {}

  std::string run() {
    scale();
    range();
    if (said_.empty()) positive_range();
    bits();
    mixed_scales();
    return said_.empty() ? "" : "give " + said_;
  }

 private:
  bool helps() {
    bool helped = false;
    try {
      helped = fits_() && keeps_inputs();
    } catch (const Error&) {
    }
    s_.options = options_;
    s_.inputs = inputs_;
    s_.input_range = range_;
    s_.input_rms = rms_;
    return helped;
  }

  // An input of which hardly a bit is left fits everywhere, and helps nobody.
  bool keeps_inputs() const {
    constexpr double least = 16;  // units of its last fractional bit
    return std::all_of(s_.inputs.begin(), s_.inputs.end(), [&](const ProgramInput& in) {
      return std::ldexp(std::max(std::abs(in.low), std::abs(in.high)), s_.program.input().scale) >= least;
    });
  }

  void say(const std::string& what) { said_ += (said_.empty() ? "" : ", or ") + what; }

  void scale() {
    const int now = options_.scale.value_or(scales.front());
    for (const int scale : scales) {
      if (scale >= now) continue;
      s_.options.scale = scale;
      if (!helps()) continue;
      return say("--scale " + std::to_string(scale));
    }
  }

  // The range of a picture follows from what its rule makes of it.
  bool may_change_ranges() const {
    return std::none_of(inputs_.begin(), inputs_.end(), [](const ProgramInput& in) { return in.picture.has_value(); });
  }

  void range() {
    if (!may_change_ranges()) return;
    for (const int factor : factors) {
      for (ProgramInput& in : s_.inputs) {
        in.low /= factor;
        in.high /= factor;
      }
      s_.input_range /= factor;
      s_.input_rms /= factor;
      if (!helps()) continue;
      return say("an --input-range " + std::to_string(factor) + " times smaller");
    }
  }

  // A root or a reciprocal may want inputs of one sign.
  void positive_range() {
    const bool any = std::any_of(inputs_.begin(), inputs_.end(), [](const ProgramInput& in) { return in.low <= 0 && in.high > 0; });
    if (!may_change_ranges() || !any) return;
    for (ProgramInput& in : s_.inputs) {
      if (in.low <= 0 && in.high > 0) in.low = in.high / factors.back();
    }
    if (helps()) say("--input-range LOW:HIGH with LOW above 0");
  }

  void bits() {
    if (options_.bits.value_or(max_ring_bits) >= max_ring_bits) return;
    s_.options.bits.reset();
    if (helps()) say("--bits " + std::to_string(max_ring_bits));
  }

  void mixed_scales() {
    if (options_.mixed_scales || s_.network.graph.nodes.empty()) return;
    s_.options.mixed_scales = true;
    if (helps()) say("--mixed-scales");
  }

  CompileState& s_;
  const std::function<bool()>& fits_;
  const CompileOptions options_;
  const std::vector<ProgramInput> inputs_;
  const double range_ = s_.input_range;
  const double rms_ = s_.input_rms;
  std::string said_;
};

}  // namespace

std::string constant_does_not_fit(const std::string& layer, double value, int scale) {
  std::ostringstream number;
  number << std::setprecision(3) << value;
  return "layer '" + layer + "': its constant " + number.str() + " does not fit 64 bits at " + std::to_string(scale) + " fractional bits";
}

std::string remedy_of_constant(double value) {
  constexpr double least_of_masks = -1e5;
  return value < least_of_masks ? "put -1e4 in its place if it is a mask's" : "scale it down, and the weights beside it";
}

std::string remedies(CompileState& state, const std::function<bool()>& fits) { return Trial(state, fits).run(); }

}  // namespace smpc
