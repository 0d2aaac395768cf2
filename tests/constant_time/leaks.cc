// That the method finds what it looks for: each of these leaks a secret, and must be reported.
#include "cases.h"
#include "poison.h"
#include "poisoned_run.h"
#include "smpc/crypto/prg.h"
#include "smpc/ring/fields.h"

namespace smpc::testing {
namespace {

// Of the secret's lowest bit. The statement inside keeps the compiler from choosing without a branch.
void branch_on(std::uint64_t secret) {
  if ((secret & 1) != 0) asm volatile("nop");
}

std::uint64_t a_secret() {
  std::uint64_t x = 5;
  poison(std::span(&x, 1));
  return x;
}

}  // namespace

LEAK(ABranchOnASecretIsReported) { branch_on(a_secret()); }

LEAK(AnAddressFromASecretIsReported) {
  static const volatile int table[8]{};
  [[maybe_unused]] const int entry = table[a_secret() & 7];
}

LEAK(ALengthFromASecretIsReported) { Bytes(a_secret() & 7); }

LEAK(ABranchOnWhatTheGeneratorMadeIsReported) {
  Prg prg(secret_key());
  std::uint64_t x = 0;
  prg.fill(std::span(&x, 1));
  branch_on(x);
}

LEAK(ABranchOnACorrectionIsReported) {
  Program p;
  p.suite = Suite::masked;
  p.inputs = {{"x", {1}, -1, 1}};
  p.tensors = {{1, 0, Ring{20}}, {1, 0, Ring{20}}};
  p.ops = {{"relu", ReluOp{5}}};
  const Dealt dealt = deal(correlation_plan(p), {}, 1);
  branch_on(std::to_integer<std::uint64_t>(dealt.material.front().corrections.front()));
}

// The choice of two bytes a weight is made when a model is compiled, and depends on them.
LEAK(TheWidthOfStoredWeightsIsReported) {
  WeightMatrix::Wide values(10);
  poison(values);
  const WeightMatrix matrix(std::move(values));
}

LEAK(PaddingThatIsSecretIsReported) {
  Bytes field(1);
  poison(field);
  FieldReader(field).values(1, Ring{5});
}

}  // namespace smpc::testing
