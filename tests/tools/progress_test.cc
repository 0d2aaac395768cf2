// The line of progress: what it says, that it fits, and how often it is drawn.
#include "progress.h"

#include <gtest/gtest.h>

#include "support/pty.h"

namespace smpc::tools {
namespace {

using namespace std::chrono_literals;
using smpc::testing::Screen;

const ProgressLine full = {.fraction = 0.5, .what = "inference", .volume = "volume 3 of 20", .left = "12 s left",
                           .layer = "fc1", .bytes = "614.2 kB sent, 24.1 kB received"};

std::string plain(const ProgressLine& line, std::size_t columns, bool utf8 = false) {
  return progress_line(line, {.columns = columns, .controls = true, .colour = false, .utf8 = utf8});
}

TEST(ProgressLine, SaysEverythingWhereThereIsRoom) {
  EXPECT_EQ(plain(full, 120),
            "[##########          ]  50 %  inference, fc1  volume 3 of 20  614.2 kB sent, 24.1 kB received  12 s left");
  EXPECT_EQ(plain({.fraction = {}, .what = "connecting"}, 80), "[                    ]        connecting");
  EXPECT_EQ(plain({.fraction = 1, .what = "x"}, 80, true), " ━━━━━━━━━━━━━━━━━━━━  100 %  x");
}

TEST(ProgressLine, LeavesOutTheLeastImportantFirst) {
  EXPECT_EQ(plain(full, 80), "[##########          ]  50 %  inference, fc1  volume 3 of 20  12 s left");
  EXPECT_EQ(plain(full, 60), "[##########          ]  50 %  inference  volume 3 of 20");
  EXPECT_EQ(plain(full, 50), "[#####     ]  50 %  inference  volume 3 of 20");
  EXPECT_EQ(plain(full, 30), " 50 %  inference  12 s left");
  EXPECT_EQ(plain(full, 12), " 50 %  infe");
  EXPECT_EQ(plain(full, 8), "inferen");
}

TEST(ProgressLine, IsNarrowerThanAnyTerminal) {
  for (const bool utf8 : {false, true}) {
    for (std::size_t columns = 1; columns < 140; ++columns) {
      for (const char* layer : {"fc1", "a layer with a very long name, far longer than it should be"}) {
        ProgressLine line = full;
        line.layer = layer;
        EXPECT_LT(width_of(plain(line, columns, utf8)), columns) << columns;
      }
    }
  }
}

TEST(ProgressLine, ALayersNameSteersNoTerminal) {
  ProgressLine line = full;
  line.layer = "\033[2Jfc";
  EXPECT_EQ(plain(line, 80).find('\033'), std::string::npos);
  EXPECT_NE(plain(line, 80).find(", \\x1b[2Jfc"), std::string::npos);
}

TEST(TimeLeft, GoesByWhatWasDoneSinceItBegan) {
  TimeLeft left;
  const TimeLeft::Clock::time_point t{};
  EXPECT_EQ(left.after(64, 200, t), std::nullopt);
  EXPECT_EQ(left.after(64, 200, t + 5s), std::nullopt);
  EXPECT_EQ(left.after(128, 200, t + 64s), 72.0);        // a second each
  EXPECT_EQ(left.after(128, 200, t + 70s), 66.0);        // it has gone on meanwhile
  EXPECT_EQ(left.after(128, 200, t + 1000s), 0.0);
  EXPECT_EQ(left.after(192, 200, t + 128s), 8.0);
  EXPECT_EQ(left.after(0, 300, t + 200s), std::nullopt);  // another call
}

TEST(TimeLeft, InWords) {
  EXPECT_EQ(words_for_time_left({}), "");
  EXPECT_EQ(words_for_time_left(0.4), "");
  EXPECT_EQ(words_for_time_left(12.4), "12 s left");
  EXPECT_EQ(words_for_time_left(170), "3 min left");
  EXPECT_EQ(words_for_time_left(4 * 3600 + 120), "4 h 2 min left");
  EXPECT_EQ(words_for_time_left(1e300), "days left");
}

class Drawing : public ::testing::Test {
 protected:
  Progress::Output output() {
    return {[this] { return terminal; }, [this](std::string_view text) { drawn += text; ++writes; }, [this] { return now; }};
  }
  void inference(Progress& progress, std::uint64_t done) {
    progress({.phase = ClientPhase::inference, .done = done, .whole = 14, .layer = "fc1", .sent = 1000 * done, .volumes = 1});
  }
  std::optional<Terminal> terminal = Terminal{.columns = 60, .controls = true, .colour = true, .utf8 = true};
  std::string drawn;
  int writes = 0;
  Progress::Clock::time_point now{1h};
};

TEST_F(Drawing, ANewPhaseAtOnceAndTheRestTenTimesASecond) {
  Progress progress(output());
  progress({.phase = ClientPhase::connecting, .layer = {}});
  inference(progress, 0);
  EXPECT_EQ(writes, 2);
  for (std::uint64_t i = 1; i <= 10; ++i) {
    now += 20ms;
    inference(progress, i);
  }
  EXPECT_EQ(writes, 4);  // after 100 and after 200 ms
  EXPECT_EQ(Screen(drawn, 60).lines, (std::vector<std::string>{" ━━━━━━━━━━━━━━──────   71 %  inference, fc1  10.0 kB sent"}));
}

TEST_F(Drawing, IsTakenAwayInTheEnd) {
  {
    Progress progress(output());
    inference(progress, 3);
  }
  EXPECT_TRUE(Screen(drawn, 60).lines.empty());
  EXPECT_TRUE(drawn.ends_with("\r\033[K"));
}

TEST_F(Drawing, NothingWithoutATerminal) {
  terminal.reset();
  {
    Progress progress(output());
    inference(progress, 3);
    progress({.phase = ClientPhase::connecting, .layer = {}});
  }
  EXPECT_EQ(writes, 0);
}

TEST_F(Drawing, APlainLineForEachPhaseWhereTheCursorCannotMove) {
  terminal->controls = terminal->colour = false;
  {
    Progress progress(output());
    progress({.phase = ClientPhase::connecting, .layer = {}});
    for (std::uint64_t i = 0; i < 14; ++i) {
      inference(progress, i);
      now += 1s;
    }
  }
  EXPECT_EQ(drawn, "connecting\ninference\n");
}

TEST_F(Drawing, FollowsTheTerminalsWidth) {
  Progress progress(output());
  for (std::size_t columns : {120, 60, 40, 20, 10}) {
    terminal->columns = columns;
    drawn.clear();
    now += 1s;
    progress({.phase = ClientPhase::inference, .done = 1, .whole = 14, .layer = "fc1", .sent = 1'000'000, .volumes_done = 64, .volumes = 128});
    EXPECT_LT(Screen(drawn, columns).widest, columns);
    EXPECT_FALSE(Screen(drawn, columns).wrapped);
  }
}

TEST_F(Drawing, OneOfSeveralScansWithTheTimeLeftForAll) {
  terminal->columns = 120;
  Progress progress(output());
  const auto tell = [&](std::size_t before) {
    progress.about("sub-0" + std::to_string(before + 1) + " (" + std::to_string(before + 1) + " of 9)", before, 9);
    inference(progress, 7);
    now += 10s;
    return Screen(drawn, 120).lines.at(0);
  };
  tell(2);  // the first that is not done already
  EXPECT_NE(tell(3).find("  50 %  sub-04 (4 of 9): inference, fc1"), std::string::npos) << drawn;
  EXPECT_NE(tell(4).find("50 s left"), std::string::npos) << drawn;  // 5 of them, the current one included
}

TEST_F(Drawing, ManyVolumesWithTheTimeLeftFromTheBatchesDone) {
  terminal->columns = 120;
  Progress progress(output());
  const auto tell = [&](ClientPhase phase, std::uint64_t done, std::uint64_t whole, std::size_t volumes_done) {
    now += 1s;
    progress({.phase = phase, .done = done, .whole = whole, .layer = {}, .volumes_done = volumes_done, .volumes = 130});
    return Screen(drawn, 120).lines.at(0);
  };
  EXPECT_NE(tell(ClientPhase::masking, 0, 64, 0).find("volume 1 of 130"), std::string::npos);
  EXPECT_NE(tell(ClientPhase::masking, 64, 64, 0).find("volume 64 of 130"), std::string::npos);
  const std::string first = tell(ClientPhase::inference, 3, 14, 0);
  EXPECT_NE(first.find("volumes 1 to 64 of 130"), std::string::npos) << first;
  EXPECT_EQ(first.find("left"), std::string::npos) << first;
  // 64 volumes in 64 seconds: 66 are left.
  now += 61s;
  const std::string second = tell(ClientPhase::masking, 0, 64, 64);
  EXPECT_NE(second.find("volume 65 of 130"), std::string::npos) << second;
  EXPECT_NE(second.find("66 s left"), std::string::npos) << second;
  tell(ClientPhase::masking, 0, 2, 128);
  EXPECT_NE(tell(ClientPhase::inference, 0, 14, 128).find("volumes 129 to 130 of 130"), std::string::npos);
}

}  // namespace
}  // namespace smpc::tools
