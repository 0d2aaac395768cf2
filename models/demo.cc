#include "demo.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "nifti_writer.h"
#include "onnx_writer.h"
#include "smpc/base/digest.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "trainer.h"

namespace smpc::demo {
namespace {

namespace fs = std::filesystem;

constexpr std::array file_names{"mlp.onnx", "scan.nii.gz", "scan4d.nii.gz", "mask.nii.gz", "truth.csv", "accuracy.txt"};
constexpr const char* stamp_name = "stamp.txt";
constexpr unsigned held_out_per_class = 20;
constexpr unsigned volumes_4d = 20;

std::string first_line(bool quick) {
  return "smpc-demo-model " + std::string(generator_digest()) + (quick ? " quick" : " full") + "\n";
}

// What stamp.txt says when all is well; empty when a file is missing or cannot be read.
std::string stamp_of_folder(const fs::path& folder, bool quick) {
  std::string stamp = first_line(quick);
  for (const char* name : file_names) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / name, ignored)) return "";
    stamp += std::string(name) + " " + to_hex(sha256(read_file(folder / name))) + "\n";
  }
  return stamp;
}

std::string text_of(const fs::path& path) { return std::string(as_text(read_file(path, 1U << 16))); }

bool is_whole(const fs::path& folder, bool quick) {
  std::error_code ignored;
  if (!fs::exists(folder / stamp_name, ignored)) return false;
  const std::string stamp = text_of(folder / stamp_name);
  for (const bool found_quick : {false, true}) {
    if (found_quick && !quick) continue;  // a quick model does not serve for a full one
    if (stamp.starts_with(first_line(found_quick))) return stamp == stamp_of_folder(folder, found_quick);
  }
  return false;
}

void refuse_foreign_files(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / stamp_name, ignored)) return;  // ours, of another version or unfinished
  for (const char* name : file_names) {
    if (fs::exists(folder / name, ignored)) {
      fail_input((folder / name).string() +
                 ": expected no such file or one made by smpc-demo-model, found one with no " + stamp_name +
                 " beside it: choose another folder, or overwrite it with --force");
    }
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error)) {
    fail_input(folder.string() + ": expected a folder or a place to make one, found neither" +
               (error ? " (" + error.message() + ")" : std::string()) + ": choose another");
  }
}

std::string format(const char* pattern, auto... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

// Different networks, from the demo's own onwards.
unsigned class_of_volume(unsigned volume) noexcept { return (broca_class + 3 * volume) % class_count; }

struct Scans {
  std::vector<float> one;   // 3-D
  std::vector<float> many;  // 4-D
  std::vector<float> mask;  // 1 where any of them may be other than 0
  std::string truth;        // volume,index,name
};

Scans draw_scans(const SubjectMaker& maker) {
  Scans scans;
  SubjectMaker::Scratch scratch;
  scans.one.resize(voxel_count);
  Random of_one(static_cast<std::uint64_t>(Draw::scan), volumes_4d);
  maker.draw(broca_class, of_one, scratch, scans.one);
  scans.many.resize(volumes_4d * voxel_count);
  scans.mask.resize(voxel_count);
  for (const std::uint32_t voxel : maker.brain()) scans.mask[voxel] = 1;
  scans.truth = "volume,index,name\n";
  for (unsigned n = 0; n < volumes_4d; ++n) {
    Random random(static_cast<std::uint64_t>(Draw::scan), n);
    const unsigned index = class_of_volume(n);
    maker.draw(index, random, scratch, std::span(scans.many).subspan(n * voxel_count, voxel_count));
    scans.truth += std::to_string(n) + "," + std::to_string(index) + "," + maker.table()[index].name + "\n";
  }
  return scans;
}

Mlp train(const SubjectMaker& maker, const DemoOptions& options, const Progress& progress) {
  const TrainingPlan plan = options.quick ? quick_plan() : full_plan();
  Trainer trainer(maker, plan, options.threads);
  while (trainer.steps_done() < plan.steps) {
    trainer.step();
    progress(trainer.steps_done(), plan.steps);
  }
  return trainer.mlp();
}

std::string describe(const Mlp& mlp, const SubjectMaker& maker, const Measured& measured, const Scans& scans) {
  unsigned right = 0;
  for (unsigned n = 0; n < volumes_4d; ++n) {
    Eigen::Index best = 0;
    classify(mlp, maker, std::span(scans.many).subspan(n * voxel_count, voxel_count)).row(0).maxCoeff(&best);
    if (best == static_cast<Eigen::Index>(class_of_volume(n))) ++right;
  }
  const float broca = softmax(classify(mlp, maker, scans.one))(0, broca_class);
  return format(
      "probability above 0.9 on %.1f %% of them; logits within %.1f; first layer's weights sum to at most %.1f a unit; "
      "scan.nii.gz is LANG-BROCA with probability %.3f; %u of %u volumes of scan4d.nii.gz right",
      100.0 * measured.sure / measured.subjects, static_cast<double>(measured.largest_logit),
      static_cast<double>(largest_row_norm(mlp)), static_cast<double>(broca), right, volumes_4d);
}

void write_all(const fs::path& folder, bool quick, const std::string& model, const Scans& scans,
               const std::string& accuracy) {
  write_file(folder / "mlp.onnx", as_bytes(model));
  write_file(folder / "scan.nii.gz", gzip(nifti_file(scans.one)));
  write_file(folder / "scan4d.nii.gz", gzip(nifti_file(scans.many)));
  write_file(folder / "mask.nii.gz", gzip(nifti_file(scans.mask)));
  write_file(folder / "truth.csv", as_bytes(scans.truth));
  write_file(folder / "accuracy.txt", as_bytes(accuracy + "\n"));
  write_file(folder / stamp_name, as_bytes(stamp_of_folder(folder, quick)));
}

}  // namespace

DemoReport make_demo(const DemoOptions& options, const Progress& progress) {
  make_folder(options.folder);
  DemoReport report;
  if (!options.force) {
    if (is_whole(options.folder, options.quick)) {
      report.already_there = true;
      report.accuracy_line = text_of(options.folder / "accuracy.txt");
      report.accuracy_line.pop_back();
      return report;
    }
    refuse_foreign_files(options.folder);
  }
  const SubjectMaker maker(networks());
  const Mlp mlp = train(maker, options, progress);
  const Measured measured = measure(mlp, maker, options.quick ? 2 : held_out_per_class, options.threads);
  report.accuracy_line = format("accuracy %.1f %% on %u unseen subjects", measured.percent(), measured.subjects) +
                         (options.quick ? " (quick: not trained, no accuracy is promised)" : "");
  report.accurate = options.quick || measured.percent() >= least_percent;
  const Scans scans = draw_scans(maker);
  report.details = describe(mlp, maker, measured, scans);
  if (!report.accurate) return report;  // nothing of it is kept
  // From here on the folder is ours, also if this run is cut short.
  write_file(options.folder / stamp_name, as_bytes(std::string_view("smpc-demo-model unfinished\n")));
  write_all(options.folder, options.quick, onnx_model(mlp, maker.brain(), maker.table()), scans, report.accuracy_line);
  return report;
}

}  // namespace smpc::demo
