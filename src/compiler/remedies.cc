#include "remedies.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <optional>
#include <sstream>

#include "smpc/base/error.h"

namespace smpc {
namespace {

// What helps most comes first: where it does not, what helps less is not tried. A large network takes seconds each.
constexpr std::array<double, 3> factors = {256, 16, 4};  // by which ranges are made smaller
constexpr std::array<double, 4> large_factors = {0x1p40, 0x1p32, 0x1p24, 0x1p16};  // where those do not help
constexpr std::array<int, 4> scales = {0, 2, 4, 8};   // fractional bits

class Trial {
 public:
  Trial(CompileState& state, const std::function<bool()>& fits) : s_(state), fits_(fits), options_(state.options), inputs_(state.inputs) {}

  std::string run() {
    if (options_.scale) scale();
    bits();
    range();
    if (said_.empty()) positive_range();
    mixed_scales();
    if (said_.empty() && !options_.scale) scale();
    return said_.empty() ? "" : "give " + said_;
  }

 private:
  enum class Outcome { fails, leaves_nothing, helps };

  Outcome outcome() {
    Outcome found = Outcome::fails;
    try {
      if (fits_()) found = keeps_inputs() ? Outcome::helps : Outcome::leaves_nothing;
    } catch (const Error&) {
    }
    s_.options = options_;
    s_.inputs = inputs_;
    s_.input_range = range_;
    s_.input_rms = rms_;
    return found;
  }
  bool helps() { return outcome() == Outcome::helps; }

  // An input of which hardly a bit is left fits everywhere, and helps nobody.
  bool keeps_inputs() const {
    constexpr double least = 16;  // units of its last fractional bit
    return std::all_of(s_.inputs.begin(), s_.inputs.end(), [&](const ProgramInput& in) {
      return std::ldexp(std::max(std::abs(in.low), std::abs(in.high)), s_.program.input().scale) >= least;
    });
  }

  void say(const std::string& what) { said_ += (said_.empty() ? "" : ", or ") + what; }

  // The mildest that helps.
  template <class Values, class Change>
  std::optional<typename Values::value_type> mildest(const Values& values, Change change) {
    std::optional<typename Values::value_type> found;
    for (const auto value : values) {
      if (!change(value)) break;
      const Outcome now = outcome();
      if (now == Outcome::fails) break;
      if (now == Outcome::helps) found = value;
    }
    return found;
  }

  void scale() {
    const auto found = mildest(scales, [&](int scale) {
      s_.options.scale = scale;
      return scale < options_.scale.value_or(scales.back());
    });
    s_.options = options_;
    if (found) say("--scale " + std::to_string(*found));
  }

  // The range of a picture follows from what its rule makes of it.
  bool may_change_ranges() const {
    return std::none_of(inputs_.begin(), inputs_.end(), [](const ProgramInput& in) { return in.picture.has_value(); });
  }

  void range() {
    if (!may_change_ranges()) return;
    const auto make_smaller = [&](double factor) {
      for (ProgramInput& in : s_.inputs) {
        in.low /= factor;
        in.high /= factor;
      }
      s_.input_range /= factor;
      s_.input_rms = usual_rms(s_, true);
      return true;
    };
    auto found = mildest(factors, make_smaller);
    if (!found) found = mildest(large_factors, make_smaller);
    if (found) say("an --input-range " + std::to_string(static_cast<std::int64_t>(*found)) + " times smaller");
  }

  // A root or a reciprocal may want inputs of one sign.
  void positive_range() {
    const bool any = std::any_of(inputs_.begin(), inputs_.end(), [](const ProgramInput& in) { return in.low <= 0 && in.high > 0; });
    if (!may_change_ranges() || !any) return;
    for (ProgramInput& in : s_.inputs) {
      if (in.low <= 0 && in.high > 0) in.low = in.high / factors.front();
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
