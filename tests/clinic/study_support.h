// A study on disk, and somebody who answers for its scans without any scan being one.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "smpc/base/error.h"
#include "smpc/clinic/study.h"
#include "smpc/service/client.h"
#include "support/process.h"

namespace smpc::testing {

namespace fs = std::filesystem;

inline void put(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

inline std::string text_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// A scan's content is its number of volumes, or "damaged".
class Answers : public StudyClient {
 public:
  std::string program() override {
    ++asked_for_program;
    if (gone) fail_peer("127.0.0.1:7200: nobody listens");
    return hash;
  }

  ScanOutcome ask(const fs::path& scan, const ScanOptions& options) override {
    const std::string content = text_of(scan);
    if (content == "damaged") fail_input(scan.filename().string() + ": damaged");
    asked.push_back(scan.filename());
    if (const auto at = failures.find(scan.filename()); at != failures.end()) throw at->second;
    if (invalid.contains(scan.filename())) throw InvalidResult(0, 3);
    if (gone) fail_peer("127.0.0.1:7200: nobody listens");
    ScanOutcome o;
    o.scan = scan.filename();
    o.header.volumes = std::stoul(content);
    o.program = hash;
    o.mask = "bb";
    o.server = "urn:smpc:server:s";
    o.client = "urn:smpc:client:c";
    o.reveal = reveal;
    o.what = what;
    o.labels = labels;
    for (std::size_t v = 0; v < std::min(o.header.volumes, options.selection.first.value_or(99)); ++v) {
      o.volumes.push_back(v);
      if (options.nan_as_zero) o.nan_voxels.push_back(10 * v);
      o.results.push_back({v % 3, {}});
      if (scores) o.results.back().logits = *scores;
      else if (reveal == Reveal::logits) o.results.back().logits = {v % 3 == 0 ? 2.0 : 0, v % 3 == 1 ? 2.5 : 0, v % 3 == 2 ? 3.0 : 0};
    }
    bundles += o.results.size();
    if (after_answer) after_answer(scan);
    return o;
  }

  SecretVector<double> volume(std::size_t i) override { return {static_cast<double>(i)}; }

  std::string hash = std::string(64, 'a');
  Reveal reveal = Reveal::logits;
  Results what = Results::logits;
  std::optional<std::vector<double>> scores;  // of every volume
  std::vector<std::string> labels = {"LANG-BROCA", "a\ttab", "<script>"};
  bool gone = false;
  std::map<std::string, Error> failures;  // by file name
  std::set<std::string> invalid;          // file names of scans whose opened index is no class
  std::function<void(const fs::path&)> after_answer;
  std::vector<std::string> asked;
  std::size_t bundles = 0;
  int asked_for_program = 0;
};

class StudyFolders : public ::testing::Test {
 protected:
  StudyFolders() {
    options.bids_dir = folder / "bids";
    options.out_dir = folder / "out";
    for (const char* label : {"01", "02", "03"}) {
      put(scan_of(label), label[1] == '2' ? "5" : "2");
    }
  }
  fs::path scan_of(const std::string& label) const {
    return folder / ("bids/derivatives/dr/sub-" + label + "/dr_stage2_subject000" + label + ".nii.gz");
  }
  fs::path result(const std::string& label, const std::string& ending) const {
    return options.out_dir / ("sub-" + label) / "func" / ("sub-" + label + "_desc-networks_predictions" + ending);
  }
  StudyResult run(const StudyHooks& hooks = {}) { return run_study(options, client, hooks); }

  // Every file of the results, with what is in it.
  std::map<std::string, std::string> results() const {
    std::map<std::string, std::string> out;
    for (const auto& e : fs::recursive_directory_iterator(options.out_dir)) {
      if (e.is_regular_file()) out[e.path().lexically_relative(options.out_dir).string()] = text_of(e.path());
    }
    return out;
  }

  TemporaryFolder folder;
  StudyOptions options;
  Answers client;
};

// A letter a scan: done, done before, failed or passed over.
inline std::string statuses(const StudyResult& result) {
  std::string out;
  for (const StudyEntry& e : result.entries) {
    const char letters[] = {'d', 'b', 'f', 'p'};
    out += letters[static_cast<std::size_t>(e.status)];
  }
  return out;
}

}  // namespace smpc::testing
