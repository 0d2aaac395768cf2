// The page: what it says, that it is whole, and that it is nobody else's.
#include "smpc/report/report.h"

#include <gtest/gtest.h>

#include <set>

#include "smpc/base/error.h"
#include "support.h"

namespace smpc {
namespace {

using testing::content;
using testing::mni;

std::vector<double> blob() {
  return testing::sampled(mni, [](const testing::Mm& at) { return testing::ball(at, {-42, 18, 24}, 16, 9); });
}

bool has(const std::string& html, const std::string& text) { return html.find(text) != std::string::npos; }

// The tags of elements that are opened and not closed in their order; empty where all are.
std::string badly_nested(const std::string& html) {
  const std::set<std::string> empty{"meta", "image", "path", "rect", "stop", "!doctype"};
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = html.find('<', at)) != std::string::npos) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag without an end";
    std::string name = html.substr(at + 1, html.find_first_of(" \n/>", at + 2) - at - 1);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    at = end;
    if (name == "style") at = html.find("</style", at) - 1;
    if (name[0] == '/') {
      if (open.empty() || open.back() != name.substr(1)) return name;
      open.pop_back();
    } else if (!empty.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back();
}

// Whatever a browser could load, run or follow: nothing but pictures that are in the page.
void expect_alone(const std::string& html) {
  for (const char* bad : {"http:", "https:", "src=", "<script", "<link", "<iframe", "<object", "<embed", "@import",
                          "javascript:", "<a ", "<form"}) {
    EXPECT_FALSE(has(html, bad)) << bad;
  }
  for (const std::string& address : testing::all_between(html, "href=\"", "\"")) {
    EXPECT_EQ(address.rfind("data:image/png;base64,", 0), 0U);
  }
  for (const std::string& address : testing::all_between(html, "url(", ")")) EXPECT_EQ(address[0], '#') << address;
}

TEST(Report, SaysWhatIsInIt) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  c.volume = 3;
  c.volumes = 20;
  c.orientation = "right to left";
  c.voxel_size = "4 x 4 x 4 mm";
  c.resampling = "Brought onto the grid.";
  c.cautions = {"First caution.", "Second caution."};
  const std::string html = report_html(c);
  for (const char* text :
       {"<h1><bdi>LANG-BROCA</bdi></h1>",
        "Probability <b>0.9312</b>",
        "scan.nii.gz",
        "volume 3 (of 20, counted from 0)",
        "45&nbsp;&times;&nbsp;54&nbsp;&times;&nbsp;45 voxels of 4&nbsp;&times;&nbsp;4&nbsp;&times;&nbsp;4 mm",
        "(90, -126, -72)&nbsp;mm",
        "right to left",
        "4 x 4 x 4 mm",
        "Brought onto the grid.",
        "First caution.",
        "Second caution.",
        "urn:smpc:server:s",
        "urn:smpc:client:c",
        "127.0.0.1:7100",
        "614.2 kB",
        "24.1 kB",
        "0.014 s",
        "14 messages in sequence",
        "You learned one label.",
        "The owner learned that you asked.",
        "The dealer was not asked.",
        "datetime=\"2026-11-25T00:08:26+01:00\"",
        "2026-11-25 00:08:26+01:00",
        "smpc 0.1.0",
        "not a medical device",
        "Peak: <b>9</b> at <b>x = -42, y = 18, z = 24&nbsp;mm</b>",
        "no value is below zero",
        "width:93.12%"}) {
    EXPECT_TRUE(has(html, text)) << text;
  }
  EXPECT_TRUE(has(html, std::string(64, 'a')));
}

TEST(Report, IsWholeAndAlone) {
  const std::vector<double> v = blob();
  const std::string html = report_html(content(mni, v));
  EXPECT_EQ(badly_nested(html), "");
  expect_alone(html);
  EXPECT_LT(html.size(), 1'000'000U);
  EXPECT_EQ(testing::all_between(html, " role=\"img\" aria-label=\"", "\"").size(), 7U)
      << "six pictures and a scale, in words";
}

TEST(Report, SameContentSameBytes) {
  const std::vector<double> v = blob();
  EXPECT_EQ(report_html(content(mni, v)), report_html(content(mni, v)));
}

TEST(Report, NoiseEverywhereStaysSmall) {
  std::uint64_t state = 1;
  const std::vector<double> v = testing::sampled(mni, [&](const testing::Mm&) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 40) / (1U << 24) - 0.5;
  });
  EXPECT_LT(report_html(content(mni, v)).size(), 1'000'000U);
}

TEST(Report, TheLabelAloneComesWithoutProbabilities) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  for (const auto& top : {std::vector<ReportClass>{}, std::vector<ReportClass>{{4, "LANG-BROCA", std::nullopt}}}) {
    c.top = top;
    const std::string html = report_html(c);
    EXPECT_TRUE(has(html, "reveals the label alone"));
    EXPECT_FALSE(has(html, "Probability <b>"));
    EXPECT_FALSE(has(html, "class=\"fill\""));
    EXPECT_EQ(testing::all_between(html, "<bdi>LANG-BROCA", "<").size(), 2U) << "the heading and the list";
    EXPECT_EQ(badly_nested(html), "");
  }
}

TEST(Report, ValuesAreCalledThatAndNothingElse) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  c.top = {{4, "LANG-BROCA", std::nullopt, 12.5}, {1, "NOISE", std::nullopt, -0.25}};
  const std::string html = report_html(c);
  EXPECT_TRUE(has(html, "Value <b>12.5</b>"));
  EXPECT_TRUE(has(html, "Largest values"));
  EXPECT_TRUE(has(html, "<span class=\"value\">-0.25</span>"));
  EXPECT_FALSE(has(html, "robabilit"));
  EXPECT_FALSE(has(html, "ikeliest"));
  EXPECT_FALSE(has(html, "oftmax"));
  EXPECT_FALSE(has(html, "class=\"fill\""));
  EXPECT_EQ(badly_nested(html), "");
}

TEST(Report, ProbabilitiesThatTheModelGivesAreNoSoftmaxOfOurs) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  EXPECT_TRUE(has(report_html(c), "softmax of the model's scores"));
  c.softmax = false;
  EXPECT_TRUE(has(report_html(c), "Probability <b>0.9312</b>"));
  EXPECT_FALSE(has(report_html(c), "softmax"));
}

TEST(Report, FiveOfMoreAreShown) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  c.top.clear();
  for (std::size_t i = 0; i < 7; ++i) c.top.push_back({i, "N" + std::to_string(i), 0.5 / static_cast<double>(i + 1)});
  const std::string html = report_html(c);
  EXPECT_TRUE(has(html, "<bdi>N4<"));
  EXPECT_FALSE(has(html, "<bdi>N5<"));
}

TEST(Report, WhatIsEmptyIsLeftOut) {
  const std::vector<double> v = blob();
  ReportContent c = content(mni, v);
  c.client_learned = c.server_learned = c.dealer_learned = c.time = c.mask = "";
  const std::string html = report_html(c);
  for (const char* text :
       {"Cautions</h2>", "Orientation", "Voxel size", "Resampling", "Who learned what", "<time", "Mask", "volume 0"}) {
    EXPECT_FALSE(has(html, text)) << text;
  }
  EXPECT_EQ(badly_nested(html), "");
}

TEST(Report, EveryTextIsEscaped) {
  const std::vector<double> v = blob();
  const std::string evil = "<script>'\"&\xff";
  ReportContent c = content(mni, v);
  c.scan = c.orientation = c.voxel_size = c.resampling = c.label = c.program = c.mask = c.server = c.client = c.dealer =
      evil;
  c.client_learned = c.server_learned = c.dealer_learned = c.time = c.version = evil;
  c.cautions = {evil};
  c.top = {{0, evil, 0.5}};
  c.phases = {{evil, 1, 2, 3.0}};
  const std::string html = report_html(c);
  expect_alone(html);
  EXPECT_EQ(badly_nested(html), "");
  EXPECT_FALSE(has(html, "\xff"));
  EXPECT_FALSE(has(html, "'\"&"));
  EXPECT_EQ(testing::all_between(html, "&lt;script&gt;&#39;&quot;&amp;\\x", "f").size(), 22U);
}

TEST(Report, VolumesWithoutAPeakHaveWords) {
  std::vector<double> v(mni.voxels(), 0.0);
  std::string html = report_html(content(mni, v));
  EXPECT_TRUE(has(html, "Every voxel is zero"));
  EXPECT_FALSE(has(html, "class=\"scale\""));
  EXPECT_EQ(badly_nested(html), "");
  v.assign(mni.voxels(), 2.5);
  html = report_html(content(mni, v));
  EXPECT_TRUE(has(html, "Every voxel has the same value, 2.5"));
  EXPECT_TRUE(has(html, "2.5 to 2.5"));
}

TEST(Report, TheScaleHasTheSignsThatAreThere) {
  std::vector<double> v = blob();
  std::string html = report_html(content(mni, v));
  EXPECT_TRUE(has(html, "Warm colours: from"));
  EXPECT_FALSE(has(html, "Cold colours"));
  for (double& x : v) x = -x;
  html = report_html(content(mni, v));
  EXPECT_TRUE(has(html, "Cold colours: from"));
  EXPECT_FALSE(has(html, "Warm colours"));
  EXPECT_TRUE(has(html, "no value is above zero"));
  EXPECT_TRUE(has(html, "Peak: <b>-9</b>"));
  v[7] = 9;
  html = report_html(content(mni, v));
  EXPECT_TRUE(has(html, "Cold colours"));
  EXPECT_TRUE(has(html, "Warm colours"));
}

TEST(Report, AGridThatIsNoneIsRefused) {
  const std::vector<double> v(mni.voxels(), 1.0);
  const auto message = [&](std::size_t at, double value) -> std::string {
    Grid grid = mni;
    grid.affine[at] = value;
    try {
      report_html(content(grid, v));
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      return e.what();
    }
    return "taken";
  };
  EXPECT_TRUE(has(message(0, 0), "can be inverted"));
  EXPECT_TRUE(has(message(5, std::nan("")), "can be inverted"));
  EXPECT_TRUE(has(message(3, 1e18), "within 1,000 km"));
  EXPECT_TRUE(has(message(3, std::nan("")), "within 1,000 km"));
}

}  // namespace
}  // namespace smpc
