// The model, a run and its events, against real services.
#include "page_world.h"
#include "smpc/clinic/outcome.h"
#include "smpc/report/html.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::testing {
namespace {

using nlohmann::json;

json error_of(const HttpReply& reply) { return reply.json().at("error"); }

TEST(PageModel, IsWhatTheServerTells) {
  PageWorld page;
  const Program& program = page.world().mlp().program;
  const HttpReply reply = page.get("api/model");
  ASSERT_EQ(reply.status, 200U) << reply.body;
  json j = reply.json();
  EXPECT_EQ(j["mask"].get<std::string>().size(), 64U);
  j.erase("mask");
  const json expected = {{"server", "urn:smpc:server:server"},
                         {"server_address", page.world().server_address()},
                         {"dealer_address", page.world().dealer_address()},
                         {"program", to_hex(program_hash(program))},
                         {"reveal", "logits"},
                         {"output", "logits"},
                         {"classes", program.labels.size()},
                         {"grid", {{"shape", program.grid->shape}, {"affine", program.grid->affine}}},
                         {"input_masked", false},
                         {"bundles", 0},
                         {"prepared", false}};
  EXPECT_EQ(j, expected);
  page.world().client("alice")->prefetch(3);
  EXPECT_EQ(page.get("api/model").json()["bundles"], 3);
  EXPECT_EQ(page.get("api/model").json()["prepared"], true);
}

TEST(PageModel, OfAServerThatIsAwayIs502InTheCommandLinesWordsAndComesBack) {
  PageWorld page;
  ASSERT_EQ(page.get("api/model").status, 200U);
  const std::string address = page.world().server_address();
  page.world().stop_server();
  const HttpReply away = page.get("api/model");
  EXPECT_EQ(away.status, 502U);
  const auto failure = failure_of([&] { page.world().client("alice")->connect(); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(error_of(away)["message"], failure->text);
  EXPECT_EQ(error_of(away)["exit_code"], 4);
  page.world().start_server(address);
  EXPECT_EQ(page.get("api/model").status, 200U);
}

TEST(PageModel, WaitsOnlyAWhileForAnotherCommand) {
  PageWorld page(Reveal::label, [](UiOptions& o) { o.state_patience = std::chrono::milliseconds(50); });
  const auto other = page.world().client("alice");  // holds the state folder
  const HttpReply reply = page.get("api/model");
  EXPECT_EQ(reply.status, 502U);
  EXPECT_NE(error_of(reply)["message"].get<std::string>().find("expected to use it alone"), std::string::npos);
  EXPECT_EQ(error_of(reply)["exit_code"], 3);
}

void expect_results(const PageWorld& page, const json& result, const std::vector<std::size_t>& volumes,
                    const std::vector<RingVector>& expected) {
  const Program& program = page.world().mlp().program;
  ASSERT_EQ(result["results"].size(), volumes.size());
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const json& one = result["results"][i];
    EXPECT_EQ(one["volume"], volumes[i]);
    if (program.reveal == Reveal::logits) {
      EXPECT_EQ(one["logits"].get<std::vector<double>>(), dequantise(program.output(), expected[volumes[i]]));
    } else {
      EXPECT_EQ(one["index"], expected[volumes[i]][0]);
      EXPECT_FALSE(one.contains("logits"));
    }
  }
}

TEST(PageRun, FromFileToResultIsTheReferenceBitForBit) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    PageWorld page(reveal);
    const std::string scan = page.upload(page.scan())["scan"];
    const auto events = page.events(page.start_run({{"scan", scan}}));
    ASSERT_EQ(events.back().name, "result") << events.back().data;
    const json& result = events.back().data;
    expect_results(page, result, {0}, page.expected());
    EXPECT_EQ(result["server"], "urn:smpc:server:server");
    EXPECT_EQ(result["resampling"], "");
    EXPECT_EQ(result["caution"], "");
    EXPECT_GT(result["seconds"], 0.0);
    EXPECT_EQ(result["learned"].size(), 3U);
    EXPECT_NE(result["learned"]["server"].get<std::string>().find("urn:smpc:client:alice asked about one volume"), std::string::npos);
    EXPECT_GT(result["cost"]["online"]["sent"], 0);
  }
}

TEST(PageRun, TakesOneVolumeOrAllOfAFourDimensionalScan) {
  PageWorld page;
  const std::string scan = page.upload(page.scan(5))["scan"];
  const auto expected = page.expected(5);
  const auto all = page.events(page.start_run({{"scan", scan}, {"volume", "all"}}));
  ASSERT_EQ(all.back().name, "result");
  expect_results(page, all.back().data, {0, 1, 2, 3, 4}, expected);
  const auto one = page.events(page.start_run({{"scan", scan}, {"volume", 3}, {"resample", false}}));
  ASSERT_EQ(one.back().name, "result");
  expect_results(page, one.back().data, {3}, expected);
}

TEST(PageRun, BringsAScanOntoTheModelsGridWhereThatIsAskedFor) {
  PageWorld page;
  const nlohmann::json scan = page.upload(page.scan(1, true), "flipped.nii");
  EXPECT_EQ(scan["check"]["verdict"], "reoriented");
  EXPECT_EQ(scan["orientation"], "RAS");
  const auto refused = page.events(page.start_run({{"scan", scan["scan"]}}));
  ASSERT_EQ(refused.back().name, "failed");
  EXPECT_EQ(refused.back().data["error"]["exit_code"], 3);
  EXPECT_NE(refused.back().data["error"]["message"].get<std::string>().find("flipped.nii: expected a grid of "), std::string::npos);
  const auto events = page.events(page.start_run({{"scan", scan["scan"]}, {"resample", true}}));
  ASSERT_EQ(events.back().name, "result") << events.back().data;
  expect_results(page, events.back().data, {0}, page.expected());  // voxel for voxel: the same bits
  EXPECT_NE(events.back().data["resampling"].get<std::string>().find("from RAS to LAS"), std::string::npos);
}

TEST(PageRun, ItsResultsAreToBeHadAsCsvUntilTheNextRun) {
  PageWorld page;
  const std::string scan = page.upload(page.scan(2), "a%20b.nii")["scan"];
  const auto events = page.events(page.start_run({{"scan", scan}, {"volume", "all"}}));
  const HttpReply csv = page.get("api/run/1/results.csv");
  ASSERT_EQ(csv.status, 200U);
  EXPECT_EQ(csv.headers.at("content-type"), "text/csv; charset=utf-8");
  EXPECT_EQ(csv.headers.at("content-disposition"), "attachment; filename=\"a_b.csv\"; filename*=UTF-8''a%20b.csv");
  const json& first = events.back().data["results"][0];
  EXPECT_NE(csv.body.find("\n0," + std::to_string(first["index"].get<int>()) + "," + first["label"].get<std::string>() + "," +
                          first["probability"].dump() + ","),
            std::string::npos)
      << csv.body;
  page.upload(page.scan(), "next.nii");
  EXPECT_EQ(page.get("api/run/1/results.csv").body, csv.body);  // of its own scan, whatever was chosen since
  EXPECT_EQ(page.get("api/run/2/results.csv").status, 404U);
  page.events(page.start_run({{"scan", "2"}}));
  EXPECT_EQ(page.get("api/run/1/results.csv").status, 404U);
  EXPECT_EQ(page.get("api/run/2/results.csv").status, 200U);
}

// The largest magnitude, as the report says it and as the file has it.
std::string peak_in(const std::string& report) {
  const std::string before = "Peak: <b>";
  const std::size_t at = report.find(before);
  if (at == report.npos) return "no peak";
  const std::string text = report.substr(at + before.size(), report.find('<', at + before.size()) - at - before.size());
  return text.starts_with('-') ? text.substr(1) : text;
}
double peak_of(const std::string& content, std::size_t volume) {
  const TemporaryFile file(content);
  const Scan scan = load_scan(file.path(), {false, volume});
  const auto& values = scan.volumes.front();
  return std::abs(*std::max_element(values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
}

TEST(PageRun, AVolumesReportIsADownloadThatShowsThatVolume) {
  PageWorld page;
  const std::string content = page.scan(3);
  const std::string run = page.start_run({{"scan", page.upload(content, "scan.nii.gz")["scan"]}, {"volume", "all"}});
  const json result = page.events(run).back().data;
  for (const std::size_t volume : {2, 0, 1}) {
    const HttpReply reply = page.get("api/run/" + run + "/report.html?volume=" + std::to_string(volume));
    ASSERT_EQ(reply.status, 200U) << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_TRUE(reply.headers.at("content-disposition").starts_with("attachment; filename=\"scan-volume-" + std::to_string(volume) + ".html\""));
    for (const std::string text : {result["program"], result["results"][volume]["label"], result["server"]}) {
      EXPECT_NE(reply.body.find(text), std::string::npos) << text;
    }
    EXPECT_EQ(peak_in(reply.body), number_text(peak_of(content, volume)));
  }
  for (const char* query : {"", "?volume=3", "?volume=-1", "?volume=x", "?volume="}) {
    EXPECT_EQ(page.get("api/run/" + run + "/report.html" + query).status, 404U) << query;
  }
}

TEST(PageRun, EveryReaderGetsEveryEventInOrderFromTheFirstOn) {
  PageWorld page;
  const std::string run = page.start_run({{"scan", page.upload(page.scan(4))["scan"]}, {"volume", "all"}});
  std::vector<std::vector<ServerEvent>> read(4);
  std::vector<std::thread> readers;
  for (auto& events : read) readers.emplace_back([&] { events = page.events(run); });
  for (std::thread& t : readers) t.join();
  const auto late = page.events(run);
  for (const auto& events : read) EXPECT_EQ(events, late);

  std::vector<std::string> phases;
  for (std::size_t i = 0; i < late.size(); ++i) {
    EXPECT_EQ(late[i].id, std::to_string(i));
    EXPECT_EQ(late[i].name, i + 1 < late.size() ? "progress" : "result");
    if (late[i].name != "progress") continue;
    const std::string phase = late[i].data["phase"];
    if (phase == "connecting" || phase == "waiting_for_dealer") continue;
    if (phases.empty() || phases.back() != phase) phases.push_back(phase);
  }
  EXPECT_EQ(phases, (std::vector<std::string>{"masked_weights", "randomness", "masking", "inference"}));
  const json& last = late[late.size() - 2].data;
  EXPECT_EQ(last["layer"], "opening");
  EXPECT_EQ(last["done"], last["whole"]);
  EXPECT_EQ(last["volumes"], 4);
  for (const char* key : {"text", "sent", "received", "seconds", "volumes_done"}) EXPECT_TRUE(last.contains(key)) << key;

  // A browser that lost the connection goes on where it was, and is told when there is nothing more.
  const auto rest = parse_events(page.get("api/run/" + run + "/events", "Last-Event-ID: 2\r\n").body);
  EXPECT_EQ(rest, std::vector<ServerEvent>(late.begin() + 3, late.end()));
  EXPECT_EQ(page.get("api/run/" + run + "/events", "Last-Event-ID: " + late.back().id + "\r\n").status, 204U);
}

TEST(PageRun, ARequestThatMakesNoSenseIsRefused) {
  PageWorld page;
  page.upload(page.scan());
  for (const char* body : {"", "{}", "[]", "null", "{", R"({"scan": 1})", R"({"scan": "1", "volume": -1})", R"({"scan": "1", "volume": 0.5})",
                           R"({"scan": "1", "volume": "0"})", R"({"scan": "1", "volume": [0]})", R"({"scan": "1", "resample": "no"})"}) {
    EXPECT_EQ(page.post("api/run", body).status, 400U) << body;
  }
  EXPECT_EQ(page.post("api/run", R"({"scan": "2"})").status, 404U);
  EXPECT_EQ(page.get("api/run/1/events").status, 404U);
  EXPECT_EQ(page.post("api/run/1/cancel", "").status, 404U);
}

// Of a run that fails: what it says, in the words of ScanRun.
void expect_failure(PageWorld& page, const std::string& content, const json& request, int exit_code, const std::string& words) {
  json whole = request;
  whole["scan"] = page.upload(content, "scan.nii")["scan"];
  const std::string run = page.start_run(whole);
  const auto events = page.events(run);
  ASSERT_EQ(events.back().name, "failed");
  EXPECT_EQ(events.back().data["error"]["exit_code"], exit_code);
  const std::string message = events.back().data["error"]["message"];
  EXPECT_NE(message.find(words), std::string::npos) << message;
  EXPECT_EQ(message.find("/proc/"), std::string::npos) << message;
  EXPECT_EQ(error_of(page.get("api/run/" + run + "/results.csv"))["exit_code"], 2);
}

TEST(PageRun, WhatTheModelDoesNotTakeFailsInTheCommandLinesWordsAndCostsNothing) {
  PageWorld page;
  const RandomModel& m = page.world().mlp();
  page.world().client("alice")->prefetch(2);
  NiftiSpec spec;
  spec.dim = {3, static_cast<std::int64_t>(m.program.input().count), 1, 1, 1, 1, 1, 1};
  std::vector<float> voxels(m.program.input().count);
  voxels.back() = static_cast<float>(2 * m.program.inputs[0].high);
  expect_failure(page, nifti_file(spec, voxels), json::object(), 3, "scan.nii, volume 0: ");
  spec.srow[3] = 92;
  expect_failure(page, nifti_file(spec, voxels), json::object(), 3, "scan.nii: expected a grid of ");
  expect_failure(page, page.scan(3), json::object(), 3, "scan.nii: ");  // which volume?
  expect_failure(page, page.scan(3), {{"volume", 3}}, 3, "scan.nii: ");
  EXPECT_EQ(page.get("api/model").json()["bundles"], 2);
}

// Nobody is there to be connected to: a scan that is refused is refused all the same, and the page's question about the model,
// which follows every run, is answered as before.
TEST(PageRun, OfAPinnedProgramAScanIsRefusedWithoutAWordToTheServer) {
  const Digest program = program_hash(model_on_grid(Reveal::logits).program);
  PageWorld page(Reveal::logits, [&](UiOptions& o) { o.approved = ApprovedPrograms::only(program); });
  const HttpReply told = page.get("api/model");
  ASSERT_EQ(told.status, 200U) << told.body;
  page.world().stop_server();
  const RandomModel& m = page.world().mlp();
  NiftiSpec spec;
  spec.dim = {3, static_cast<std::int64_t>(m.program.input().count), 1, 1, 1, 1, 1, 1};
  std::vector<float> voxels(m.program.input().count);
  voxels.back() = static_cast<float>(2 * m.program.inputs[0].high);
  expect_failure(page, nifti_file(spec, voxels), json::object(), 3, "scan.nii, volume 0: ");
  EXPECT_EQ(page.get("api/model").body, told.body);
  expect_failure(page, page.scan(), json::object(), 4, page.world().server_address());
  EXPECT_EQ(page.get("api/model").status, 502U);  // after a scan that was not refused it is asked
}

TEST(PageRun, OfAPinnedProgramEndsInItsResultAndAnotherProgramIsRefused) {
  const Digest program = program_hash(model_on_grid(Reveal::logits).program);
  PageWorld page(Reveal::logits, [&](UiOptions& o) { o.approved = ApprovedPrograms::only(program); });
  const auto events = page.events(page.start_run({{"scan", page.upload(page.scan())["scan"]}}));
  ASSERT_EQ(events.back().name, "result") << events.back().data;
  expect_results(page, events.back().data, {0}, page.expected());
  PageWorld other(Reveal::logits, [](UiOptions& o) { o.approved = ApprovedPrograms::only(Digest{}); });
  const HttpReply reply = other.get("api/model");
  EXPECT_EQ(reply.status, 502U);
  EXPECT_NE(error_of(reply)["message"].get<std::string>().find("expected the approved program"), std::string::npos) << reply.body;
}

TEST(PageRun, ADealerThatIsAwayIsNoCorrelatedRandomness) {
  PageWorld page;
  page.world().client("alice")->prefetch(1);
  page.world().stop_dealer();
  expect_failure(page, page.scan(2), {{"volume", "all"}}, 5, "no correlated randomness: ");
  const auto events = page.events(page.start_run({{"scan", page.upload(page.scan())["scan"]}}));
  EXPECT_EQ(events.back().name, "result");  // what is stored needs no dealer
}

TEST(PageRun, OneAtATimeAndItCanBeCancelled) {
  PageWorld page;
  ASSERT_EQ(page.get("api/model").status, 200U);
  const json told = page.get("api/model").json();
  const std::string address = page.world().server_address();
  page.upload(page.scan());
  page.world().stop_server();
  std::string run;
  {
    SilentServer silent(page.world(), address);
    run = page.start_run({{"scan", "1"}});
    silent.wait_for_client();
    EXPECT_FALSE(page.state_is_free());
    const HttpReply second = page.post("api/run", R"({"scan": "1"})");
    EXPECT_EQ(second.status, 409U);
    EXPECT_NE(error_of(second)["message"].get<std::string>().find("one run at a time"), std::string::npos);
    EXPECT_EQ(page.get("api/model").json(), told);  // as it was: nobody is asked meanwhile
    EXPECT_EQ(page.get("api/run/1/results.csv").status, 409U);
    EXPECT_EQ(page.post("api/run/" + run + "/cancel", "").status, 202U);
    const auto events = page.events(run);
    ASSERT_EQ(events.back().name, "failed");
    EXPECT_EQ(events.back().data["error"]["message"], "cancelled");
    EXPECT_EQ(events.back().data["error"]["exit_code"], 4);
    EXPECT_TRUE(page.state_is_free());
  }
  page.world().start_server(address);
  run = page.start_run({{"scan", "1"}});
  const auto events = page.events(run);
  ASSERT_EQ(events.back().name, "result");
  expect_results(page, events.back().data, {0}, page.expected());
  EXPECT_EQ(page.post("api/run/" + run + "/cancel", "").status, 202U);  // of one that has ended: nothing
  EXPECT_EQ(page.get("api/run/" + run + "/report.html?volume=0").status, 200U);
}

TEST(PageRun, TheEndOfTheServerCancelsItAndEndsItsReaders) {
  PageWorld page;
  const std::string address = page.world().server_address();
  page.upload(page.scan());
  page.world().stop_server();
  SilentServer silent(page.world(), address);
  const std::string run = page.start_run({{"scan", "1"}});
  RawHttp reader(page.port());
  reader.send(page.head("GET", page.token() + "api/run/" + run + "/events") + "\r\n");
  EXPECT_NE(reader.receive_some(), "");
  silent.wait_for_client();
  page.stop();
  while (!reader.receive_some().empty()) continue;
}

TEST(PageRun, BetweenActionsOtherCommandsMayWork) {
  PageWorld page;
  EXPECT_TRUE(page.state_is_free());
  ASSERT_EQ(page.get("api/model").status, 200U);
  EXPECT_TRUE(page.state_is_free());
  const std::string run = page.start_run({{"scan", page.upload(page.scan())["scan"]}});
  EXPECT_EQ(page.events(run).back().name, "result");
  EXPECT_TRUE(page.state_is_free());
  page.world().expect_good("alice", 2);
  EXPECT_EQ(page.events(page.start_run({{"scan", "1"}})).back().name, "result");
}

}  // namespace
}  // namespace smpc::testing
