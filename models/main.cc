// smpc-demo-model: a model and scans to try smpc with, made on the spot.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "demo.h"
#include "parallel.h"
#include "smpc/base/error.h"

namespace {

constexpr const char* about =
    R"(smpc-demo-model makes something to try smpc with: a classifier of brain networks, trained here and now on synthetic
maps, and scans that it has not seen. The same files come out every time. Nothing in them is secret or anybody's data.

It is a demonstration: its coordinates are approximate, it is NOT a medical device, and it is not the published model
whose class names it uses (Pallikonda Latheef et al., arXiv 2305.03814).)";

constexpr const char* footer = R"(
Made in OUT: mlp.onnx (88 MB), scan.nii.gz (one volume, LANG-BROCA), scan4d.nii.gz (20 volumes), mask.nii.gz (where they may be other than zero), truth.csv (what each
volume is; its row 0 is true of scan.nii.gz too), accuracy.txt, stamp.txt. Takes a minute or so on two processors.
Run again, it finds that all is there and whole, and makes nothing.
Exit codes: 0 done, 1 the model came out less than 95 % right and was not kept, 2 usage, 3 bad input.)";

int run(int argc, char** argv) {
  CLI::App app(about, "smpc-demo-model");
  smpc::demo::DemoOptions options;
  options.threads = smpc::demo::default_threads();
  app.footer(footer);
  std::string folder;
  app.add_option("OUT", folder, "the folder to make them in (required; made where it is missing)");
  app.add_flag("--quick", options.quick,
               "two training steps only, in seconds: files of full size for tests, a model that knows nothing "
               "(default: off)");
  app.add_flag("--force", options.force, "make everything again, whatever is in OUT (default: off)");
  app.add_option("--threads", options.threads, "processors to use, 1 to 64; the result does not depend on it")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::cerr << "smpc-demo-model: " << error.what() << "; see smpc-demo-model --help\n";
    return static_cast<int>(smpc::ErrorKind::usage);
  }
  if (folder.empty()) smpc::fail_usage("expected a folder to make the files in, found none: smpc-demo-model OUT");
  options.folder = folder;

  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  const auto progress = [&](unsigned done, unsigned all) {
    if (terminal) std::cerr << "\rtraining: step " << done << " of " << all << (done == all ? "\n" : "") << std::flush;
  };
  const smpc::demo::DemoReport report = smpc::demo::make_demo(options, progress);
  if (report.already_there) {
    std::cout << folder << ": all files are there already, nothing was made\n" << report.accuracy_line << "\n";
    return 0;
  }
  std::cout << report.accuracy_line << "\n" << report.details << "\n";
  if (!report.accurate) {
    std::cerr << "smpc-demo-model: expected at least " << smpc::demo::least_percent
              << " % right, found less, and kept nothing: this is a fault of the program, please report it\n";
    return 1;
  }
  std::cout << "made in " << folder << ": mlp.onnx, scan.nii.gz, scan4d.nii.gz, mask.nii.gz, truth.csv, accuracy.txt, stamp.txt\n";
  if (!std::cout.flush()) smpc::fail_input("standard output: cannot write what was made");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const smpc::Error& error) {
    std::cerr << "smpc-demo-model: " << error.what() << "\n";
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << "smpc-demo-model: " << error.what() << "\n";
    return 1;
  }
}
