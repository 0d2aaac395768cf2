#include "machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>

namespace smpc::bench {
namespace {

std::string field_of(const char* path, const std::string& name) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(name) || colon == std::string::npos) continue;
    const auto at = line.find_first_not_of(" \t", colon + 1);
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "unknown";
}

std::string first_line(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 256> line{};
  if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
  std::string text = line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// What the process was given, before it pinned itself.
const cpu_set_t& given_processors() {
  static const cpu_set_t given = [] {
    cpu_set_t s;
    CPU_ZERO(&s);
    ::sched_getaffinity(0, sizeof s, &s);
    return s;
  }();
  return given;
}

std::string commit() {
  const std::string git = "git -C '" SMPC_SOURCE_DIR "' ";
  const std::string id = first_line(git + "rev-parse --short=12 HEAD 2>/dev/null");
  if (id.empty()) return "unknown";
  return first_line(git + "status --porcelain --untracked-files=no 2>/dev/null").empty() ? id : id + ", with changes";
}

}  // namespace

std::string describe_machine() {
  std::array<char, 64> date{};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M UTC", ::gmtime_r(&now, &utc));
  return "processor  " + field_of("/proc/cpuinfo", "model name") + " (family " + field_of("/proc/cpuinfo", "cpu family") +
         ", model " + field_of("/proc/cpuinfo", "model\t") + "), " + std::to_string(processors().size()) +
         " usable, " + field_of("/proc/cpuinfo", "cache size") + " cache\nmemory     " +
         field_of("/proc/meminfo", "MemTotal") + "\ncompiler   " SMPC_COMPILER "\ncommit     " + commit() +
         "\ndate       " + date.data() +
         "\nload       " + first_line("cut -d' ' -f1-3 /proc/loadavg") + " (1, 5 and 15 minutes; more than a little disturbs)\n";
}

Sample summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.size()};
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<unsigned> processors() {
  std::vector<unsigned> out;
  for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &given_processors())) out.push_back(i);
  }
  return out;
}

void pin_to(unsigned processor) {
  given_processors();
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

void unpin() { ::sched_setaffinity(0, sizeof(cpu_set_t), &given_processors()); }

std::string text_of(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

}  // namespace smpc::bench
