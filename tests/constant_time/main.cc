// smpc_constant_time CASE: runs one case, on valgrind (memcheck.sh).
//
// valgrind knows no AVX-512, so Highway's target is pinned to AVX2 here; what needs other targets takes them itself.
#include <hwy/targets.h>
#include <valgrind/valgrind.h>

#include <iostream>

#include "cases.h"

int main(int argc, char** argv) {
  const auto& all = smpc::testing::cases();
  const auto at = argc == 2 ? all.find(argv[1]) : all.end();
  if (at == all.end()) {
    std::cerr << "usage: smpc_constant_time CASE, one of:";
    for (const auto& [name, run] : all) std::cerr << " " << name;
    std::cerr << "\n";
    return 2;
  }
  if (RUNNING_ON_VALGRIND == 0 || (hwy::SupportedTargets() & HWY_AVX2) == 0) {
    std::cerr << "skipped: this needs valgrind, and a processor with AVX2\n";
    return 77;
  }
  hwy::SetSupportedTargetsForTest(HWY_AVX2);
  at->second();
  return 0;
}
