#include "ot_digits.h"

#include "smpc/base/error.h"

namespace smpc {
namespace {

// table[v] becomes table[v ^ c], bit-sliced: for each bit of c, pairs that differ in it are swapped where it is set.
// `width` vectors make one string.
void rotate(std::vector<BitVector>& table, unsigned width, const std::vector<BitVector>& c) {
  const std::size_t strings = table.size() / width;
  for (unsigned j = 0; j < c.size(); ++j) {
    for (std::size_t v = 0; v < strings; ++v) {
      const std::size_t w = v ^ (std::size_t{1} << j);
      if (w < v) continue;
      for (unsigned k = 0; k < width; ++k) swap_where(c[j], table[v * width + k], table[w * width + k]);
    }
  }
}

// [digit = v] for every v below 2^bits, from the digit's bit slices.
std::vector<BitVector> indicators(std::span<const BitVector> digit, std::size_t count) {
  BitVector all(count);
  all.flip();
  std::vector<BitVector> out;
  out.reserve(std::size_t{1} << digit.size());
  out.push_back(std::move(all));
  for (unsigned j = 0; j < digit.size(); ++j) {
    const std::size_t half = out.size();
    for (std::size_t v = 0; v < half; ++v) {
      out.push_back(out[v] & digit[j]);
      out[v] ^= out.back();
    }
  }
  return out;
}

}  // namespace

OtDigits::OtDigits(const ShiftPlan& plan, CorrelationSource& source)
    : layout_(*plan.comparison), count_(plan.count * source.volumes()) {
  for (unsigned n = 0; n < layout_.nodes.size(); ++n) {
    if (layout_.nodes[n].level > 0) continue;
    Digit d{n, {}, {}, {}};
    if (source.party() == Party::server) {
      d.sender = source.ot_sender(plan.node_demands[n]);
    } else {
      d.receiver = source.ot_receiver(plan.node_demands[n]);
    }
    digits_.push_back(std::move(d));
  }
}

void OtDigits::send_choices(FieldWriter& out) {
  for (Digit& d : digits_) {
    const auto bits = bits_of(layout_.nodes[d.node]);
    for (std::size_t j = 0; j < bits.size(); ++j) {
      d.receiver.choice[j] ^= bits[j];
      out.bits(d.receiver.choice[j]);
    }
    d.receiver.choice = {};
  }
}

void OtDigits::receive_choices(FieldReader& in) {
  for (Digit& d : digits_) {
    for (unsigned j = 0; j < layout_.nodes[d.node].bits; ++j) d.choice.push_back(in.bits(count_));
  }
}

void OtDigits::send_digits(FieldWriter& out, AndTree& tree) {
  for (Digit& d : digits_) {
    const ComparisonNode& node = layout_.nodes[d.node];
    const unsigned width = node.eq ? 2 : 1;
    std::vector<BitVector> pad = std::move(d.sender.strings);
    rotate(pad, width, d.choice);
    const auto equal = indicators(bits_of(node), count_);
    // The truth for digit v of the client's is lt = [a < v], eq = [a = v]. The share is chosen so that string 0 need
    // not be sent: truth(0) ^ pad(0). lt(0) is 0.
    BitVector my_lt = pad[0];
    BitVector my_eq = node.eq ? pad[1] ^ equal[0] : BitVector();
    BitVector lt(count_);
    for (std::size_t v = 1; v < equal.size(); ++v) {
      lt ^= equal[v - 1];
      pad[v * width] ^= lt;
      pad[v * width] ^= my_lt;
      out.bits(pad[v * width]);
      if (!node.eq) continue;
      pad[v * width + 1] ^= equal[v];
      pad[v * width + 1] ^= my_eq;
      out.bits(pad[v * width + 1]);
    }
    tree.set_digit(d.node, std::move(my_lt), std::move(my_eq));
  }
  digits_.clear();
}

void OtDigits::receive_digits(FieldReader& in, AndTree& tree) {
  for (Digit& d : digits_) {
    const ComparisonNode& node = layout_.nodes[d.node];
    const auto equal = indicators(bits_of(node), count_);
    BitVector lt = std::move(d.receiver.string[0]);
    BitVector eq = node.eq ? std::move(d.receiver.string[1]) : BitVector();
    for (std::size_t v = 1; v < equal.size(); ++v) {
      BitVector sent = in.bits(count_);
      lt ^= sent &= equal[v];
      if (!node.eq) continue;
      sent = in.bits(count_);
      eq ^= sent &= equal[v];
    }
    tree.set_digit(d.node, std::move(lt), std::move(eq));
  }
  digits_.clear();
}

std::size_t choice_bytes(const ShiftPlan& plan, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) bits += node.level == 0 ? node.bits : 0;
  return bits * bit_field_bytes(plan.count * volumes);
}

std::size_t digit_bytes(const ShiftPlan& plan, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) {
    if (node.level == 0) bits += ((std::size_t{1} << node.bits) - 1) * (node.eq ? 2 : 1);
  }
  return bits * bit_field_bytes(plan.count * volumes);
}

}  // namespace smpc
