#include "networks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "volume.h"

namespace smpc::demo {
namespace {

TEST(Networks, AreFiftyEightWithNamesOfTheirOwn) {
  const std::vector<Network> table = networks();
  EXPECT_EQ(table.size(), 58U);
  std::set<std::string> names;
  for (const Network& network : table) names.insert(network.name);
  EXPECT_EQ(names.size(), 58U);
  EXPECT_EQ(table[33].name, "LANG-BROCA");
}

TEST(Networks, HaveTheNamesOfThePublishedModel) {
  const std::string path = std::string(SMPC_SHARED_DATA) + "/jhu_labels.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  std::string expected = "index,name\n";
  const std::vector<Network> table = networks();
  for (std::size_t n = 0; n < table.size(); ++n) expected += std::to_string(n) + "," + table[n].name + "\n";
  const Bytes found = read_file(path);
  EXPECT_EQ(as_text(found), expected);
}

TEST(Networks, LieInsideTheBrain) {
  const std::vector<Network> table = networks();
  for (std::size_t n = 0; n < table.size(); ++n) {
    EXPECT_EQ(table[n].blobs.empty(), n == unknown_class) << table[n].name;
    float highest = 0;
    for (const Blob& blob : table[n].blobs) {
      EXPECT_TRUE(inside_brain({blob.x, blob.y, blob.z}))
          << table[n].name << " " << blob.x << " " << blob.y << " " << blob.z;
      EXPECT_GE(blob.radius, voxel_mm) << table[n].name;
      highest = std::max(highest, blob.weight);
    }
    if (n != unknown_class) {
      EXPECT_EQ(highest, 1.0F) << table[n].name;
    }
  }
}

// Left is negative x: a name's side is that of its highest blob, and the other side's network is its mirror image.
TEST(Networks, LieOnTheSideTheyAreNamedFor) {
  const std::vector<Network> table = networks();
  for (const Network& network : table) {
    if (network.name.ends_with("-LEFT")) {
      EXPECT_LT(network.blobs.front().x, 0) << network.name;
    }
    if (network.name.ends_with("-RIGHT")) {
      EXPECT_GT(network.blobs.front().x, 0) << network.name;
    }
  }
}

TEST(Networks, AreNotTwiceTheSame) {
  const std::vector<Network> table = networks();
  for (std::size_t a = 0; a < table.size(); ++a) {
    for (std::size_t b = a + 1; b < table.size(); ++b) {
      if (table[a].blobs.empty() || table[b].blobs.empty()) continue;
      const Blob& p = table[a].blobs.front();
      const Blob& q = table[b].blobs.front();
      // The highest blobs are a voxel and a half apart, or one network is one-sided and the other is not.
      const float distance =
          std::sqrt((p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y) + (p.z - q.z) * (p.z - q.z));
      EXPECT_GT(distance, 1.5F * voxel_mm) << table[a].name << " and " << table[b].name;
    }
  }
}

TEST(Networks, RefuseATableThatIsNotOne) {
  const auto refused = [](const char* csv) {
    try {
      parse_networks(csv);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::bad_input;
    }
    return false;
  };
  EXPECT_EQ(parse_networks("# a comment\nindex,name,blobs\n0,A,1 2 3 8 1;-1 2 3 8 0.5\n1,B,\n").size(), 2U);
  EXPECT_TRUE(refused("0,A,\n"));
  EXPECT_TRUE(refused("index,name,blobs\n1,A,\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,,\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 3 8\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 3 8 1 9\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 x 8 1\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 nan 8 1\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 3 0 1\n"));
  EXPECT_TRUE(refused("index,name,blobs\n0,A,1 2 3 8 1.5\n"));
}

}  // namespace
}  // namespace smpc::demo
