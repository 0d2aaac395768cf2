#include "smpc/report/html.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "support.h"

namespace smpc {
namespace {

TEST(HtmlEscape, LeavesNothingThatMeansSomething) {
  EXPECT_EQ(html_escape("a < b & c > \"d\" 'e'"), "a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;");
  EXPECT_EQ(html_escape("gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\xa7\xa0"),
            "gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac \xf0\x9f\xa7\xa0");
}

TEST(HtmlEscape, ShowsWhatWouldNotShow) {
  EXPECT_EQ(html_escape("a\xff<"), "a\\xff&lt;") << "not UTF-8";
  EXPECT_EQ(html_escape("\xe2\x80\xae"
                        "gpj.exe"),
            "\\u{202e}gpj.exe")
      << "turns the direction of writing";
  EXPECT_EQ(html_escape(std::string("\0\n", 2)), "\\x00\\n");
}

TEST(Words, Numbers) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(-0.0), "0");
  EXPECT_EQ(number_text(-46), "-46");
  EXPECT_EQ(number_text(17.3433837890625), "17.34");
  EXPECT_EQ(number_text(2.5), "2.5");
  EXPECT_EQ(number_text(100), "100");
  EXPECT_EQ(number_text(30389.6), "30390");
  EXPECT_EQ(number_text(0.00123456), "0.001235");
  EXPECT_EQ(number_text(1.25e-7), "1.25e-07");
  EXPECT_EQ(number_text(1.5e300), "1.5e+300");
  EXPECT_EQ(millimetres_text(-0.001), "0");
  EXPECT_EQ(millimetres_text(-94.384), "-94.38");
  EXPECT_EQ(millimetres_text(20), "20");
  EXPECT_EQ(grouped_text(0), "0");
  EXPECT_EQ(grouped_text(999), "999");
  EXPECT_EQ(grouped_text(109'350), "109,350");
  EXPECT_EQ(grouped_text(1'234'567), "1,234,567");
}

TEST(Words, ProbabilitiesNeverRoundToCertainty) {
  EXPECT_EQ(probability_text(0.99984), "0.9998");
  EXPECT_EQ(probability_text(0.99996), "> 0.9999");
  EXPECT_EQ(probability_text(1), "1.0000");
  EXPECT_EQ(probability_text(0.00004), "< 0.0001");
  EXPECT_EQ(probability_text(0), "0.0000");
}

TEST(Words, Seconds) {
  EXPECT_EQ(seconds_text(0.0144), "0.014 s");
  EXPECT_EQ(seconds_text(12.34), "12.3 s");
  EXPECT_EQ(seconds_text(185), "3 min 5 s");
  EXPECT_EQ(seconds_text(7'290), "2 h 1 min");
}

TEST(HtmlDocument, HasItsPartsEscaped) {
  const std::string html = html_document({"a <b>", "tool \"1\"", "<p>body</p>\n"});
  EXPECT_EQ(html.rfind("<!DOCTYPE html>\n<html lang=\"en\">", 0), 0U);
  EXPECT_NE(html.find("<title>a &lt;b&gt;</title>"), std::string::npos);
  EXPECT_NE(html.find("content=\"tool &quot;1&quot;\""), std::string::npos);
  EXPECT_NE(html.find("<body>\n<p>body</p>\n</body>"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'; img-src data:"), std::string::npos);
}

// Contrast of WCAG 2.1.
double luminance(const std::string& hex) {
  const auto channel = [&](std::size_t at) {
    const double v = std::stoi(hex.substr(at, 2), nullptr, 16) / 255.0;
    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
double contrast(const std::string& a, const std::string& b) {
  const double x = luminance(a);
  const double y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(Style, TextIsLegibleOnScreenInTheDarkAndOnPaper) {
  const std::string html = html_document({"", "", ""});
  const std::vector<std::string> modes = testing::all_between(html, ":root {", "}");
  ASSERT_EQ(modes.size(), 3U);
  for (const std::string& mode : modes) {
    std::map<std::string, std::string> colour;
    for (const std::string& line : testing::all_between(mode, "--", ";")) {
      colour[line.substr(0, line.find(':'))] = line.substr(line.find('#'));
    }
    ASSERT_EQ(colour.size(), 8U) << mode;
    EXPECT_GE(contrast(colour["ink"], colour["paper"]), 7) << mode;
    EXPECT_GE(contrast(colour["ink"], colour["caution"]), 7) << mode;
    EXPECT_GE(contrast(colour["soft"], colour["paper"]), 4.5) << mode;
    EXPECT_GE(contrast(colour["accent"], colour["paper"]), 4.5) << mode;
    EXPECT_GE(contrast(colour["accent"], colour["track"]), 3) << mode;
  }
}

}  // namespace
}  // namespace smpc
