#include "smpc/clinic/outcome.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace smpc {
namespace {

ScanOutcome two_volumes() {
  ScanOutcome o;
  o.scan = "scan4d.nii.gz";
  o.volumes = {3, 5};
  o.results = {{1, {0.0, 1.0, 1.0}}, {0, {2.0, -1.0, 0.5}}};
  o.program = "aa";
  o.mask = "bb";
  o.server = "urn:smpc:server:s";
  o.client = "urn:smpc:client:c";
  o.reveal = Reveal::logits;
  o.what = Results::logits;
  o.labels = {"A", "B, \"left\"", "C"};
  o.cost.online = {614'213, 24'119, 0.01};
  o.cost.messages = o.cost.rounds = 14;
  return o;
}

TEST(Outcome, RanksTheLikeliestFirstAndTheFirstOfEquals) {
  const ScanOutcome o = two_volumes();
  const auto first = ranked(o, 0, 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].index, 1U);
  EXPECT_EQ(first[1].index, 2U);
  EXPECT_EQ(first[0].probability, first[1].probability);
  EXPECT_EQ(ranked(o, 1, 9).size(), 3U);
  EXPECT_EQ(ranked(o, 1, 9)[2].label, "B, \"left\"");
}

TEST(Outcome, JsonHasWhatTheInterfaceNames) {
  const nlohmann::json j = to_json(two_volumes());
  EXPECT_EQ(j["reveal"], "logits");
  EXPECT_EQ(j["results"][1]["volume"], 5);
  EXPECT_EQ(j["results"][1]["label"], "A");
  EXPECT_EQ(j["results"][1]["top"].size(), 3U);
  EXPECT_EQ(j["results"][1]["probability"], j["results"][1]["top"][0]["probability"]);
  EXPECT_EQ(j["cost"]["online"]["sent"], 614'213);
  EXPECT_EQ(j["cost"]["online"]["rounds"], 14);
  EXPECT_FALSE(j["cost"]["control"].contains("seconds"));
}

TEST(Outcome, ALabelAloneHasNoProbability) {
  ScanOutcome o = two_volumes();
  o.reveal = Reveal::label;
  for (VolumeResult& r : o.results) r.logits.clear();
  EXPECT_TRUE(ranked(o, 0, 5).empty());
  const nlohmann::json j = to_json(o);
  EXPECT_FALSE(j["results"][0].contains("probability"));
  EXPECT_FALSE(j["results"][0].contains("logits"));
  EXPECT_EQ(to_csv(o), "volume,index,label\n3,1,\"B, \"\"left\"\"\"\n5,0,A\n");
}

TEST(Outcome, WhatTheResultsAreIsSaid) {
  ScanOutcome o = two_volumes();
  EXPECT_EQ(to_json(o)["output"], "logits");
  o.what = Results::probabilities;
  EXPECT_EQ(to_json(o)["output"], "probabilities");
  o.what = Results::values;
  EXPECT_EQ(to_json(o)["output"], "values");
  o.reveal = Reveal::label;
  EXPECT_EQ(to_json(o)["output"], "label");
}

TEST(Outcome, ProbabilitiesAreNotMadeToProbabilitiesAgain) {
  ScanOutcome o = two_volumes();
  o.what = Results::probabilities;
  o.results = {{1, {0.25, 0.5, 0.25}}, {0, {1.0000001, -1e-7, 0}}};  // the second as fixed point may have it
  const nlohmann::json j = to_json(o);
  EXPECT_EQ(j["results"][0]["probability"], 0.5);
  EXPECT_EQ(j["results"][0]["values"], (std::vector<double>{0.25, 0.5, 0.25}));
  EXPECT_EQ(j["results"][0]["top"][1]["probability"], 0.25);
  EXPECT_EQ(j["results"][1]["probability"], 1.0);
  EXPECT_EQ(j["results"][1]["top"][2]["probability"], 0.0);
  EXPECT_FALSE(j["results"][0].contains("logits"));
  const std::string csv = to_csv(o);
  EXPECT_NE(csv.find(",probability,value A,"), std::string::npos) << csv;
  EXPECT_NE(csv.find("0.5,0.25,0.5,0.25\n"), std::string::npos) << csv;
}

TEST(Outcome, ValuesAreCalledNoProbabilities) {
  ScanOutcome o = two_volumes();
  o.what = Results::values;
  const nlohmann::json j = to_json(o);
  EXPECT_EQ(j["results"][0]["values"], (std::vector<double>{0, 1, 1}));
  EXPECT_EQ(j["results"][0]["index"], 1);
  EXPECT_EQ(to_csv(o), "volume,index,label,value A,\"value B, \"\"left\"\"\",value C\n3,1,\"B, \"\"left\"\"\",0.0,1.0,1.0\n5,0,A,2.0,-1.0,0.5\n");
  EXPECT_EQ(ranked(o, 1, 2)[1].value, 0.5);
  EXPECT_FALSE(ranked(o, 1, 1)[0].probability);
  const Learned l = who_learned_what(o);
  for (const std::string& text : {j.dump(), to_csv(o), l.client, l.server, l.dealer}) {
    EXPECT_EQ(text.find("robab"), std::string::npos) << text;
    EXPECT_EQ(text.find("logit "), std::string::npos) << text;
    EXPECT_EQ(text.find("\"top\""), std::string::npos) << text;
  }
}

// A model whose Softmax is over all of a volume: its outputs are that.
TEST(Outcome, OutputsThatAreNoClassesAreWhatTheModelGives) {
  ScanOutcome o = two_volumes();
  o.labels.clear();
  o.outputs = {{"y", {1, 3}}};
  o.results[0].logits = {0, std::log(2.0), 0};
  nlohmann::json r = to_json(o)["results"][0];
  EXPECT_EQ(r["logits"], (std::vector<double>{0, std::log(2.0), 0}));
  EXPECT_NEAR(r["outputs"][0]["values"][1].get<double>(), 0.5, 1e-12);
  o.what = Results::values;
  r = to_json(o)["results"][0];
  EXPECT_EQ(r["outputs"][0]["values"][1], std::log(2.0));
  EXPECT_FALSE(r.contains("logits"));
}

TEST(Outcome, CsvQuotesAndReadsBack) {
  const std::string csv = to_csv(two_volumes());
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "volume,index,label,probability,logit A,\"logit B, \"\"left\"\"\",logit C");
  EXPECT_NE(csv.find("\n5,0,A,"), std::string::npos);
  EXPECT_NE(csv.find(",2.0,-1.0,0.5\n"), std::string::npos);
}

// OWASP, "CSV Injection": =, +, -, @, tab, carriage return, line feed. A spreadsheet shows what follows a single quote.
TEST(Outcome, NoTextOfTheCsvIsAFormulaToASpreadsheet) {
  ScanOutcome o = two_volumes();
  o.reveal = Reveal::label;
  for (VolumeResult& r : o.results) r.logits.clear();
  const auto cell = [&](const std::string& label) {
    o.labels = {label, label, label};
    const std::string csv = to_csv(o);
    return csv.substr(csv.find("\n3,1,") + 5, csv.find("\n5,0,") - csv.find("\n3,1,") - 5);
  };
  EXPECT_EQ(cell("=1+2"), "'=1+2");
  EXPECT_EQ(cell("+1"), "'+1");
  EXPECT_EQ(cell("-1"), "'-1");
  EXPECT_EQ(cell("@SUM(A1)"), "'@SUM(A1)");
  EXPECT_EQ(cell("\t=1"), "'\t=1");
  EXPECT_EQ(cell("\r=1"), "\"'\r=1\"");
  EXPECT_EQ(cell("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
  EXPECT_EQ(cell("'=1"), "''=1");
  EXPECT_EQ(cell("'quoted'"), "'quoted'");
  EXPECT_EQ(cell("LANG-BROCA"), "LANG-BROCA");
  o = two_volumes();  // numbers stay numbers
  EXPECT_NE(to_csv(o).find(",2.0,-1.0,0.5\n"), std::string::npos);
}

TEST(Outcome, SaysHowManyVoxelsWereNanWhereThatWasAskedFor) {
  ScanOutcome o = two_volumes();
  EXPECT_FALSE(to_json(o).contains("nan_as_zero"));
  EXPECT_EQ(nan_words(o) + nan_words(o, 0), "");
  o.nan_voxels = {0, 12};
  const nlohmann::json j = to_json(o);
  EXPECT_EQ(j["nan_as_zero"], 12);
  EXPECT_EQ(j["results"][0]["nan_as_zero"], 0);
  EXPECT_EQ(j["results"][1]["nan_as_zero"], 12);
  EXPECT_EQ(nan_words(o), "12 voxels were NaN and were taken as 0, in 2 volumes together");
  EXPECT_EQ(nan_words(o, 0), "no voxel was NaN");
  const std::string csv = to_csv(o);
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "volume,index,label,probability,logit A,\"logit B, \"\"left\"\"\",logit C,nan_as_zero");
  EXPECT_NE(csv.find(",2.0,-1.0,0.5,12\n"), std::string::npos);
}

TEST(Outcome, TellsWhoLearnedWhatWithTheNumbersOfTheRun) {
  ScanOutcome o = two_volumes();
  Learned l = who_learned_what(o);
  EXPECT_NE(l.client.find("3 scores for each of 2 volumes"), std::string::npos) << l.client;
  EXPECT_NE(l.server.find("614.2 kB"), std::string::npos) << l.server;
  EXPECT_NE(l.server.find("urn:smpc:client:c"), std::string::npos) << l.server;
  EXPECT_NE(l.dealer.find("not asked"), std::string::npos) << l.dealer;
  o.cost.offline.received = 47'310;
  l = who_learned_what(o);
  EXPECT_NE(l.dealer.find("47.3 kB"), std::string::npos) << l.dealer;
}

}  // namespace
}  // namespace smpc
