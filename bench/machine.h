// Where a figure comes from: machine, commit, date. And what several figures of one kind come to.
#pragma once

#include <string>
#include <vector>

namespace smpc::bench {

// Several lines: processor, processors, memory, compiler, commit (of the sources, where they are a git checkout), date.
std::string describe_machine();

struct Sample {
  double least = 0;
  double median = 0;
  std::size_t count = 0;
};
Sample summary(std::vector<double> values);  // at least one

double seconds_now();  // of a steady clock

// The processors that this process may use; benchmarks give the daemons the last, and themselves and clients the first.
std::vector<unsigned> processors();
void pin_to(unsigned processor);  // this thread, and those that it starts
void unpin();                     // all that the process was given

std::string text_of(const char* format, double value);

}  // namespace smpc::bench
