// What results are called, between processes, for models that end in one way and another. The same weights each time, so that the
// scores of the one without an end say what the others must give.
#include <gtest/gtest.h>

#include <cmath>

#include "deployment.h"
#include "smpc/base/file.h"
#include "support/sample_files.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::Deployment;
using testing::Outcome;
using testing::run;

constexpr testing::Shape image{3, 4, 5};

struct Told {
  json object;         // --json
  std::string text;    // for a person
  std::string report;
  json verified;       // smpc-verify
};

Told told_of(const std::vector<std::string>& end) {
  const testing::TemporaryFolder folder;
  const std::string model = (folder / "m.onnx").string();
  const std::string scan = (folder / "scan.nii").string();
  testing::write_random_mlp(model, image, {6, 4}, end);
  testing::write_scan(scan, image, {testing::random_volume(image)}, 1);
  Deployment s({"--model", model, "--protocol", "masked", "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  Told told;
  const Outcome o = s.run_client({"--image", scan, "--json"}, {});
  EXPECT_EQ(o.exit_code, 0) << o.err;
  told.object = o.json();
  const Outcome text = s.run_client({"--image", scan, "-v", "--report", (folder / "r.html").string()}, {});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  told.text = text.out;
  told.report = as_text(read_file(folder / "r.html"));
  const Outcome v = run("smpc-verify", {"--model", model, "--protocol", "masked", "--reveal", "logits", "--image", scan, "--json"});
  EXPECT_EQ(v.exit_code, 0) << v.err;
  told.verified = v.json()["volumes"][0];
  return told;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& right, double error) {
  ASSERT_EQ(found.size(), right.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], right[i], error) << i;
}

TEST(WhatResultsAre, IsSaidEverywhereAndRight) {
  const Told plain = told_of({});
  EXPECT_EQ(plain.object["output"], "values");  // scores of classes that nobody named
  const auto z = plain.object["results"][0]["values"].get<std::vector<double>>();
  ASSERT_EQ(z.size(), 4U);
  double sum = 0;
  for (const double v : z) sum += std::exp(v);

  const Told sigmoid = told_of({"Sigmoid"});
  EXPECT_EQ(sigmoid.object["output"], "values");
  std::vector<double> right;
  for (const double v : z) right.push_back(1 / (1 + std::exp(-v)));
  const json& r = sigmoid.object["results"][0];
  expect_near(r["values"].get<std::vector<double>>(), right, 1e-3);
  EXPECT_FALSE(r.contains("logits"));
  for (const Told* told : {&plain, &sigmoid}) {
    for (const std::string& text : {told->object.dump(), told->text, told->report, told->verified.dump()}) {
      EXPECT_EQ(text.find("robab"), std::string::npos) << text.substr(0, 2000);
    }
    EXPECT_NE(told->text.find("  value "), std::string::npos) << told->text;
    EXPECT_LT(told->verified["largest_value_error"].get<double>(), 1e-3);
  }

  for (const auto& end : std::vector<std::vector<std::string>>{{"Softmax"}, {"Softmax", "Dropout", "Flatten"}, {"LogSoftmax"}}) {
    const Told told = told_of(end);
    const json& result = told.object["results"][0];
    EXPECT_EQ(told.object["output"], "logits");
    expect_near(result["logits"].get<std::vector<double>>(), z, 1e-3);
    const auto index = result["index"].get<std::size_t>();
    EXPECT_NEAR(result["probability"].get<double>(), std::exp(z[index]) / sum, 1e-4);
    EXPECT_EQ(result["top"].size(), 4U);
    EXPECT_NE(told.report.find("Probability <b>"), std::string::npos);
    EXPECT_LT(told.verified["largest_probability_error"].get<double>(), 1e-4);
    EXPECT_EQ(told.object["cost"]["online"]["sent"], plain.object["cost"]["online"]["sent"]) << "as cheap as without";
  }
}

TEST(WhatResultsAre, ALabelOfOneValueIsRefusedWithARemedyThatWorks) {
  const testing::TemporaryFolder folder;
  const std::string model = (folder / "m.onnx").string();
  testing::write_random_mlp(model, image, {6, 1}, {"Sigmoid"});
  for (const std::vector<std::string>& how : {std::vector<std::string>{"--check"}, {"-o", (folder / "out").string()}}) {
    std::vector<std::string> arguments{model};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const Outcome o = run("smpc-compile", arguments);
    EXPECT_EQ(o.exit_code, 3);
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    EXPECT_NE(o.err.find("found one value, whose label would always be the same; give --reveal logits"), std::string::npos) << o.err;
    arguments.insert(arguments.end(), {"--reveal", "logits"});
    EXPECT_EQ(run("smpc-compile", arguments).exit_code, 0);
  }
}

}  // namespace
}  // namespace smpc
