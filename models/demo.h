// Everything the demo needs, in one folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace smpc::demo {

// Below this share of unseen subjects, in percent, a fully trained model is not handed out.
constexpr double least_percent = 95;

struct DemoOptions {
  std::filesystem::path folder;
  bool quick = false;    // a few training steps only: files of full size, and a model that knows nothing
  bool force = false;    // make everything again, whatever is there
  unsigned threads = 1;  // has no influence on the result
};

struct DemoReport {
  bool already_there = false;
  bool accurate = true;       // false: a fully trained model below least_percent
  std::string accuracy_line;  // as in accuracy.txt, without the end of line
  std::string details;        // one line on what the model is like; empty when it was there already
};

// Called after each training step with the steps done and the steps in all.
using Progress = std::function<void(unsigned, unsigned)>;

// Writes mlp.onnx, scan.nii.gz, scan4d.nii.gz, mask.nii.gz, truth.csv and accuracy.txt, and last stamp.txt, which names the
// generator and the files' digests. Where all of this is there, whole and of this generator (a full model serves where
// a quick one is asked for), nothing is made. Files of another generator, or left by a run that was cut short, are made
// again; files that no stamp.txt speaks of are somebody else's and refused with bad_input, unless `force`.
DemoReport make_demo(const DemoOptions& options, const Progress& progress);

}  // namespace smpc::demo
