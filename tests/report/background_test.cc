#include "src/report/background.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "smpc/base/digest.h"
#include "smpc/image/scan.h"
#include "smpc/report/background.h"

namespace smpc {
namespace {

TEST(Background, IsTheFileThatCameWithItsNotice) {
  EXPECT_EQ(to_hex(sha256(mni_background())), "031b10a1a5f00974ea4a47e9dc617a3fc7d795328fed47a50510150b195c7f06");
}

TEST(Background, IsReadAsAnyScanIs) {
  const auto path =
      std::filesystem::temp_directory_path() / ("smpc_background_test_" + std::to_string(::getpid()) + ".nii.gz");
  const std::string_view bytes = as_text(mni_background());
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const Scan scan = load_scan(path, {});
  std::filesystem::remove(path);
  const report::Background background = report::load_background();
  EXPECT_EQ(background.grid, scan.header.grid);
  ASSERT_EQ(scan.volumes.size(), 1U);
  EXPECT_TRUE(
      std::equal(background.voxels.begin(), background.voxels.end(), scan.volumes[0].begin(), scan.volumes[0].end()));
}

}  // namespace
}  // namespace smpc
