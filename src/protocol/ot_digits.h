// The digits of suite cryptflow2: one party's shares of lt = [a_i < b_i] and eq = [a_i = b_i] for every digit
// of a comparison, by random 1-of-2^m OT, derandomised. Source: Rathee et al., CrypTFlow2 (CCS 2020), section 3.1; Beaver, Precomputing
// Oblivious Transfer (CRYPTO 1995). docs/PROTOCOLS.md says what each party sees.
#pragma once

#include <vector>

#include "and_tree.h"

namespace smpc {

class OtDigits {
 public:
  OtDigits(const ShiftPlan& plan, CorrelationSource& source);
  // Bit slices of the server's a or the client's b, as many as the layout covers at least.
  void set_value(std::vector<BitVector> value) { value_ = std::move(value); }

  void send_choices(FieldWriter& out);                  // client, before
  void receive_choices(FieldReader& in);                // server
  void send_digits(FieldWriter& out, AndTree& tree);    // server; sets the tree's digits
  void receive_digits(FieldReader& in, AndTree& tree);  // client; the same

 private:
  std::span<const BitVector> bits_of(const ComparisonNode& digit) const {
    return std::span(value_).subspan(digit.first_bit, digit.bits);
  }
  struct Digit {
    unsigned node;
    OtSender sender;                // the server's
    OtReceiver receiver;            // the client's
    std::vector<BitVector> choice;  // the client's corrections, as the server received them
  };
  const ComparisonLayout& layout_;
  std::size_t count_;  // of all volumes
  std::vector<BitVector> value_;
  std::vector<Digit> digits_;
};

std::size_t choice_bytes(const ShiftPlan& plan, std::size_t volumes);
std::size_t digit_bytes(const ShiftPlan& plan, std::size_t volumes);

}  // namespace smpc
