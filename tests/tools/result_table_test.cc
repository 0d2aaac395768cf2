#include "result_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace smpc::tools {
namespace {

ScanOutcome outcome(std::vector<std::vector<double>> logits) {
  ScanOutcome o;
  o.reveal = Reveal::logits;
  o.what = Results::logits;
  o.labels = {"LANG-BROCA", "NOISE", "a network with a name that is far too long to be read by anyone in one line", "\033[31mred"};
  for (std::size_t v = 0; v < logits.size(); ++v) {
    const auto largest = std::max_element(logits[v].begin(), logits[v].end()) - logits[v].begin();
    o.volumes.push_back(v + 5);
    o.results.push_back({static_cast<std::size_t>(largest), logits[v]});
  }
  return o;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

const Terminal plain_terminal = {.columns = 80, .controls = true, .colour = false, .utf8 = false};

TEST(ResultTable, ShowsTheLikeliestOfOneVolumeWithBars) {
  ScanOutcome o = outcome({{3, 1, -90, -90}});
  o.labels = {"LANG-BROCA", "NOISE", "C", "D"};
  EXPECT_EQ(result_table(o, plain_terminal),
            "  network     probability\n"
            "  LANG-BROCA  ##########################      0.8808\n"
            "  NOISE       ###                             0.1192\n"
            "  C                                           0.0000\n"
            "  D                                           0.0000\n");
}

TEST(ResultTable, ShowsALineForEachOfSeveralVolumes) {
  ScanOutcome o = outcome({{3, 1, -90, -90}, {-90, 0, -90, -90}});
  EXPECT_EQ(result_table(o, plain_terminal),
            "  volume  network     probability\n"
            "       5  LANG-BROCA  ##########################      0.8808\n"
            "       6  NOISE       ##############################  1.0000\n");
}

TEST(ResultTable, ShowsTheLabelAloneWhereThatIsRevealed) {
  ScanOutcome o = outcome({{3, 1, -90, -90}});
  o.reveal = Reveal::label;
  o.results[0].logits.clear();
  EXPECT_EQ(result_table(o, plain_terminal), "  LANG-BROCA\n");
  o.results.push_back({1, {}});
  o.volumes.push_back(6);
  EXPECT_EQ(result_table(o, plain_terminal),
            "  volume  network\n"
            "       5  LANG-BROCA\n"
            "       6  NOISE\n");
}

TEST(ResultTable, ShowsProbabilitiesThatTheModelGivesAsTheyAre) {
  ScanOutcome o = outcome({{0.75, 0.25, 0, 0}, {0, 1, 0, 0}});
  o.what = Results::probabilities;
  EXPECT_EQ(result_table(o, plain_terminal),
            "  volume  network     probability\n"
            "       5  LANG-BROCA  ######################          0.7500\n"
            "       6  NOISE       ##############################  1.0000\n");
}

TEST(ResultTable, ShowsValuesWithoutBarsAndCallsThemThat) {
  ScanOutcome o = outcome({{0.5, -1.25, 12345.5, 0}});
  o.labels = {"LANG-BROCA", "NOISE", "C", "D"};
  o.what = Results::values;
  EXPECT_EQ(result_table(o, plain_terminal),
            "  network     value\n"
            "  C           12345.5\n"
            "  LANG-BROCA  0.5    \n"
            "  D           0      \n"
            "  NOISE       -1.25  \n");
  o.results.push_back({1, {0, 3, 0, 0}});
  o.volumes.push_back(6);
  EXPECT_EQ(result_table(o, plain_terminal),
            "  volume  network  value\n"
            "       5  C        12345.5\n"
            "       6  NOISE    3      \n");
}

TEST(ResultTable, FitsEveryWidthAndIsAligned) {
  for (const auto& logits : {std::vector<std::vector<double>>{{3, 1, 2, 0}}, {{3, 1, 2, 0}, {0, 0, 5, 0}, {0, 0, 0, 9}}}) {
    for (const bool utf8 : {false, true}) {
      for (std::size_t columns = 30; columns < 130; ++columns) {
        for (const Results what : {Results::logits, Results::values}) {
          ScanOutcome o = outcome(logits);
          o.what = what;
          const auto lines = lines_of(result_table(o, {columns, true, false, utf8}));
          for (const std::string& line : lines) EXPECT_LE(width_of(line), columns) << line;
          for (std::size_t i = 2; i < lines.size(); ++i) EXPECT_EQ(width_of(lines[i]), width_of(lines[1])) << lines[i];
        }
      }
    }
  }
}

TEST(ResultTable, ALabelSteersNoTerminal) {
  const std::string table = result_table(outcome({{0, 0, 0, 9}}), plain_terminal);
  EXPECT_EQ(table.find('\033'), std::string::npos);
  EXPECT_NE(table.find("\\x1b[31mred"), std::string::npos);
}

TEST(ResultTable, IsColouredWhereColourIsWanted) {
  Terminal coloured = plain_terminal;
  coloured.colour = true;
  EXPECT_NE(result_table(outcome({{9, 0, 0, 0}}), coloured).find("\033[1mLANG-BROCA"), std::string::npos);
}

TEST(Bars, FillInHalves) {
  EXPECT_EQ(bar(0, 4, true), "    ");
  EXPECT_EQ(bar(1, 4, true), "━━━━");
  EXPECT_EQ(bar(0.5, 3, true), "━╸ ");
  EXPECT_EQ(bar(0.9999, 2, true), "━╸");
  EXPECT_EQ(bar(0.5, 3, true, true), "━╸─");
  EXPECT_EQ(bar(0.5, 3, false, true), "#  ");
  EXPECT_EQ(bar(0.5, 4, false), "##  ");
  EXPECT_EQ(bar(7, 2, false), "##");
  EXPECT_EQ(bar(std::nan(""), 2, false), "  ");
}

TEST(Fitted, CutsAtCharactersAndCountsWideOnesTwice) {
  EXPECT_EQ(fitted("LANG-BROCA", 10, false), "LANG-BROCA");
  EXPECT_EQ(fitted("LANG-BROCA", 9, false), "LANG-B...");
  EXPECT_EQ(fitted("LANG-BROCA", 9, true), "LANG-BRO…");
  EXPECT_EQ(width_of("脳の網"), 6U);
  EXPECT_EQ(fitted("脳の網", 5, true), "脳の…");
  EXPECT_EQ(padded("脳", 5, true), "脳   ");
}

}  // namespace
}  // namespace smpc::tools
