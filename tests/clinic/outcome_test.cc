#include "smpc/clinic/outcome.h"

#include <gtest/gtest.h>

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

TEST(Outcome, CsvQuotesAndReadsBack) {
  const std::string csv = to_csv(two_volumes());
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "volume,index,label,probability,logit A,\"logit B, \"\"left\"\"\",logit C");
  EXPECT_NE(csv.find("\n5,0,A,"), std::string::npos);
  EXPECT_NE(csv.find(",2.0,-1.0,0.5\n"), std::string::npos);
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
