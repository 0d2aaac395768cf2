#include "demo.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "networks.h"
#include "smpc/base/digest.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "support/thinned.h"

namespace smpc::demo {
namespace {

namespace fs = std::filesystem;

class Demo : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "smpc-demo-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  DemoReport make(const std::string& name, unsigned threads = 2, bool force = false, bool quick = true) {
    steps_ = 0;
    const DemoOptions options{.folder = folder_ / name, .quick = quick, .force = force, .threads = threads};
    return make_demo(options, [this](unsigned, unsigned) { ++steps_; });
  }
  std::map<std::string, Digest> digests(const std::string& name) const {
    std::map<std::string, Digest> out;
    for (const auto& entry : fs::directory_iterator(folder_ / name)) {
      out[entry.path().filename().string()] = sha256(read_file(entry.path()));
    }
    return out;
  }
  void put(const fs::path& path, std::string_view text) const { write_file(folder_ / path, as_bytes(text)); }

  fs::path folder_;
  unsigned steps_ = 0;
};

TEST_F(Demo, IsTheSameTwiceAndNotMadeAgainWithoutNeed) {
  if (testing::one_in(2) > 1) GTEST_SKIP() << "half a minute of training";
  const DemoReport first = make("a", 1);
  EXPECT_FALSE(first.already_there);
  EXPECT_TRUE(first.accurate);
  EXPECT_GT(steps_, 0U);
  const auto made = digests("a");
  EXPECT_EQ(made.size(), 7U);
  for (const char* name : {"mlp.onnx", "scan.nii.gz", "scan4d.nii.gz", "mask.nii.gz", "truth.csv", "accuracy.txt", "stamp.txt"}) {
    EXPECT_EQ(made.count(name), 1U) << name;
  }

  make("b", 2);
  EXPECT_EQ(digests("b"), made);

  const DemoReport again = make("a");
  EXPECT_TRUE(again.already_there);
  EXPECT_EQ(again.accuracy_line, first.accuracy_line);
  EXPECT_EQ(steps_, 0U);

  // A file that is damaged, missing, or of another generator: made again.
  put("a/truth.csv", "volume,index,name\n");
  EXPECT_FALSE(make("a").already_there);
  EXPECT_EQ(digests("a"), made);
  fs::remove(folder_ / "b/scan.nii.gz");
  put("b/stamp.txt", "smpc-demo-model of another version\n");
  EXPECT_FALSE(make("b").already_there);
  EXPECT_EQ(digests("b"), made);
}

TEST_F(Demo, TellsTheTruthOfItsScans) {
  make("a");
  const std::string truth(as_text(read_file(folder_ / "a/truth.csv")));
  EXPECT_TRUE(truth.starts_with("volume,index,name\n0,33,LANG-BROCA\n"));
  EXPECT_EQ(std::count(truth.begin(), truth.end(), '\n'), 21);
  const std::vector<Network> table = networks();
  for (unsigned n = 0; n < 20; ++n) {
    const unsigned index = (33 + 3 * n) % 58;
    const std::string row = "\n" + std::to_string(n) + "," + std::to_string(index) + "," + table[index].name + "\n";
    EXPECT_NE(truth.find(row), std::string::npos) << row;
  }
}

TEST_F(Demo, LeavesFilesOfOthersAlone) {
  fs::create_directories(folder_ / "a");
  put("a/mlp.onnx", "somebody's model");
  try {
    make("a");
    ADD_FAILURE() << "overwrote a model";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_input);
    EXPECT_NE(std::string(error.what()).find("--force"), std::string::npos);
  }
  EXPECT_EQ(as_text(read_file(folder_ / "a/mlp.onnx")), "somebody's model");
  EXPECT_FALSE(fs::exists(folder_ / "a/stamp.txt"));
}

TEST_F(Demo, RefusesAPlaceThatIsNotAFolder) {
  put("a", "a file");
  EXPECT_THROW(make("a"), Error);
  EXPECT_THROW(make("a/b"), Error);
}

}  // namespace
}  // namespace smpc::demo
