// A line of progress on standard error, where that is a terminal, and nowhere else.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "smpc/service/client_progress.h"
#include "terminal.h"

namespace smpc::tools {

// What a line says. The parts that do not fit are left out, from the last on.
struct ProgressLine {
  std::optional<double> fraction{};  // of the bar
  std::string what{};               // "fetching the masked weights"
  std::string volume{};             // "volume 3 of 20"
  std::string left{};               // "12 s left"
  std::string layer{};              // of an inference
  std::string bytes{};              // "614.2 kB sent, 24.1 kB received"
};

// A column narrower than the terminal, at most: the last column makes some terminals begin a new line.
std::string progress_line(const ProgressLine& line, const Terminal& terminal);

// How long the rest takes if it goes on as before, from what was done since the first call. None before something was.
class TimeLeft {
 public:
  using Clock = std::chrono::steady_clock;
  std::optional<double> after(std::uint64_t done, std::uint64_t whole, Clock::time_point now);  // seconds

 private:
  bool begun_ = false;
  std::uint64_t first_ = 0;  // that was done when it began
  std::uint64_t done_ = 0;
  std::uint64_t whole_ = 0;
  Clock::time_point start_{};
  Clock::time_point last_{};  // when something was done
};

// "12 s left", "3 min left", "1 h 20 min left"; empty where it is none or under a second.
std::string words_for_time_left(std::optional<double> seconds);

class Progress {
 public:
  using Clock = TimeLeft::Clock;
  // Where it draws, and by which clock.
  struct Output {
    std::function<std::optional<Terminal>()> terminal;
    std::function<void(std::string_view)> write;
    std::function<Clock::time_point()> now;
  };

  Progress();  // standard error
  explicit Progress(Output output);
  ~Progress();  // clears
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws a new phase at once, and what is new in a phase ten times a second at most. On a terminal that cannot move the
  // cursor, a plain line for each phase.
  void operator()(const ClientProgress& now);

  // What follows is about one of several, of which so many were tried before. Each line begins with `what`.
  void about(const std::string& what, std::size_t before, std::size_t whole);

  // Work of the tool's own.
  void doing(const std::string& what, std::size_t done, std::size_t whole);

  // Takes the line away. Before anything else is printed.
  void clear();

 private:
  void draw(const ProgressLine& line, bool at_once);

  Output output_;
  bool drawn_ = false;
  std::optional<ClientPhase> phase_;
  std::size_t batch_ = 1;  // volumes in the batch that is under way
  std::string about_;
  std::size_t before_ = 0;
  std::size_t whole_ = 0;
  TimeLeft whole_left_;
  TimeLeft phase_left_;
  TimeLeft volumes_left_;
  Clock::time_point last_drawn_{};
};

}  // namespace smpc::tools
