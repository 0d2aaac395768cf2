#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "smpc/base/text.h"
#include "smpc/clinic/outcome.h"

namespace smpc::tools {
namespace {

using namespace std::chrono_literals;

constexpr auto between_drawings = 100ms;
constexpr std::string_view erase_line = "\r\033[K";

void write_to_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;  // a terminal that is gone is no reason to end
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Ctrl-C leaves no half line behind. The handler is gone by then, so the signal does what it did before.
void erase_and_end(int signal) {
  write_to_error(erase_line);
  ::raise(signal);
}

void erase_when_interrupted(bool wanted) {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    const bool ours = now.sa_handler == erase_and_end;
    if (wanted ? now.sa_handler != SIG_DFL : !ours) continue;
    struct sigaction next {};
    next.sa_handler = wanted ? erase_and_end : SIG_DFL;
    next.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    ::sigaction(signal, &next, nullptr);
  }
}

std::string words_for_bytes(const ClientProgress& p) {
  if (p.phase == ClientPhase::masked_weights) return human_bytes(p.done) + " of " + human_bytes(p.whole);
  std::string out;
  if (p.sent > 0) out = human_bytes(p.sent) + " sent";
  if (p.received > 0) out += (out.empty() ? "" : ", ") + human_bytes(p.received) + " received";
  return out;
}

std::string words_for_volumes(const ClientProgress& p, std::size_t batch) {
  if (p.volumes < 2) return {};
  const std::string whole = " of " + std::to_string(p.volumes);
  const std::size_t first = p.volumes_done + 1;
  if (p.phase == ClientPhase::masking) {
    return "volume " + std::to_string(std::min<std::size_t>(p.volumes_done + p.done + 1, p.volumes_done + p.whole)) + whole;
  }
  if (p.phase != ClientPhase::inference) return {};
  if (batch < 2) return "volume " + std::to_string(first) + whole;
  return "volumes " + std::to_string(first) + " to " + std::to_string(p.volumes_done + batch) + whole;
}

}  // namespace

std::string progress_line(const ProgressLine& line, const Terminal& terminal) {
  const std::size_t room = terminal.columns - 1;
  const std::size_t length = terminal.columns >= 60 ? 20 : terminal.columns >= 36 ? 10 : 0;
  std::string head;
  if (length > 0) {
    head = painted(bar(line.fraction.value_or(0), length, terminal.utf8, true), Paint::accent, terminal);
    head = terminal.utf8 ? " " + head + " " : "[" + head + "]";
  }
  std::string percent = "     ";
  if (line.fraction) {
    const auto value = static_cast<int>(std::floor(100 * std::clamp(*line.fraction, 0.0, 1.0)));
    percent = std::to_string(value) + " %";
    percent.insert(0, 5 - percent.size(), ' ');
  }
  std::size_t used = (length > 0 ? length + 3 : 0) + percent.size() + 2;
  if (used >= room) return fitted(line.what, room, terminal.utf8);
  const std::string what = fitted(line.what, room - used, terminal.utf8);
  used += width_of(what);

  // In the order in which they are read; taken in the order of their importance.
  const std::string layer = line.layer.empty() ? std::string() : ", " + fitted(line.layer, 24, terminal.utf8);
  const auto take = [&](const std::string& part, const char* before) {
    if (part.empty()) return std::string();
    const std::string text = before + printable(part, !terminal.utf8);
    if (used + width_of(text) > room) return std::string();
    used += width_of(text);
    return text;
  };
  const std::string volume = take(line.volume, "  ");
  const std::string left = take(line.left, "  ");
  const std::string in_layer = take(layer, "");
  const std::string bytes = take(line.bytes, "  ");
  if (!head.empty()) head += " ";
  return head + percent + "  " + what + in_layer + volume + painted(bytes, Paint::dim, terminal) + left;
}

std::optional<double> TimeLeft::after(std::uint64_t done, std::uint64_t whole, Clock::time_point now) {
  if (!begun_ || whole != whole_ || done < done_) {
    begun_ = true;
    first_ = done_ = done;
    whole_ = whole;
    start_ = last_ = now;
  }
  if (done != done_) {
    done_ = done;
    last_ = now;
  }
  if (done_ == first_ || whole < done) return std::nullopt;
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  const double each = seconds(last_ - start_) / static_cast<double>(done_ - first_);
  return std::max(0.0, each * static_cast<double>(whole - done) - seconds(now - last_));
}

std::string words_for_time_left(std::optional<double> seconds) {
  if (!seconds || *seconds < 1) return {};
  if (*seconds > 360'000) return "days left";
  const auto s = static_cast<long>(std::lround(*seconds));
  if (s < 100) return std::to_string(s) + " s left";
  const long minutes = (s + 30) / 60;
  if (minutes < 100) return std::to_string(minutes) + " min left";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min left";
}

Progress::Progress() : Progress({[] { return terminal_of(STDERR_FILENO); }, write_to_error, Clock::now}) {}
Progress::Progress(Output output) : output_(std::move(output)) {}
Progress::~Progress() { clear(); }

void Progress::clear() {
  if (!drawn_) return;
  output_.write(erase_line);
  erase_when_interrupted(false);
  drawn_ = false;
}

void Progress::about(const std::string& what, std::size_t before, std::size_t whole) {
  about_ = what;
  before_ = before;
  whole_ = whole;
  phase_.reset();
}

void Progress::doing(const std::string& what, std::size_t done, std::size_t whole) {
  const bool at_once = done == 0;
  phase_.reset();
  ProgressLine line;
  line.what = (about_.empty() ? "" : about_ + ": ") + what;
  if (whole > 0) line.fraction = static_cast<double>(done) / static_cast<double>(whole);
  draw(line, at_once);
}

void Progress::operator()(const ClientProgress& p) {
  const Clock::time_point now = output_.now();
  const bool new_phase = phase_ != p.phase;
  if (new_phase) phase_left_ = {};
  phase_ = p.phase;
  ProgressLine line;
  line.what = (about_.empty() ? "" : about_ + ": ") + std::string(description(p.phase));
  line.layer = p.layer;
  if (p.whole > 0) line.fraction = static_cast<double>(p.done) / static_cast<double>(p.whole);
  line.volume = words_for_volumes(p, batch_);
  line.bytes = words_for_bytes(p);
  const bool volumes = p.phase == ClientPhase::masking || p.phase == ClientPhase::inference;
  if (p.phase == ClientPhase::masking) batch_ = p.whole;
  const auto left = volumes ? volumes_left_.after(p.volumes_done, p.volumes, now) : phase_left_.after(p.done, p.whole, now);
  // Of several, all that is left; a download that the others wait for is told until they begin.
  const auto all_left = whole_ > 0 ? whole_left_.after(before_, whole_, now) : std::nullopt;
  line.left = words_for_time_left(all_left ? all_left : left);
  draw(line, new_phase);
}

void Progress::draw(const ProgressLine& line, bool at_once) {
  const Clock::time_point now = output_.now();
  if (!at_once && now - last_drawn_ < between_drawings) return;
  const auto terminal = output_.terminal();
  if (!terminal) return;
  last_drawn_ = now;
  if (!terminal->controls) {
    if (at_once) output_.write(fitted(line.what, terminal->columns, terminal->utf8) + "\n");
    return;
  }
  if (!drawn_) erase_when_interrupted(true);
  drawn_ = true;
  // In one write, and erased behind the text alone: nothing flickers.
  output_.write("\r" + progress_line(line, *terminal) + "\033[K");
}

}  // namespace smpc::tools
