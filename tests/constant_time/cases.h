// CASE(Name) {...}: memcheck must have nothing to report. LEAK(Name) {...}: it must report that a jump or an address depends
// on a secret. CMakeLists.txt reads the names from the sources and makes a test of each.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace smpc::testing {

inline std::map<std::string, std::function<void()>>& cases() {
  static std::map<std::string, std::function<void()>> all;
  return all;
}

struct Case {
  Case(const char* name, std::function<void()> run) { cases()[name] = std::move(run); }
};

}  // namespace smpc::testing

#define CASE(name)                                                 \
  static void name();                                              \
  static const ::smpc::testing::Case case_##name{#name, name};     \
  static void name()
#define LEAK(name) CASE(name)
