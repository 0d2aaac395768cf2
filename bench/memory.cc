#include "memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace smpc::bench {

Resident resident(int pid) {
  Resident r;
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    const auto read = [&](const char* name, std::uint64_t& to) {
      if (line.starts_with(name)) to = 1024 * std::stoull(line.substr(std::string(name).size()));
    };
    read("VmRSS:", r.total);
    read("RssAnon:", r.anon);
    read("RssFile:", r.file);
    read("VmHWM:", r.peak);
  }
  return r;
}

void reset_peak(int pid) { std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5"; }

void MemoryWatch::operator()(int pid) {
  const Resident now = resident(pid);
  const std::uint64_t peak = std::max(largest_.peak, now.peak);
  if (now.total >= largest_.total) largest_ = now;
  largest_.peak = peak;
}

}  // namespace smpc::bench
