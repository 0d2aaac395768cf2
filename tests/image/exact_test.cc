// Real scans, to the last bit. Each digest was computed from nibabel 5.0.0: SHA-256 over the affine (4x4, row by row),
// then get_fdata() of every volume in C order, all as little-endian doubles.
#include <gtest/gtest.h>

#include <bit>

#include "smpc/base/digest.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

struct Expected {
  const char* file;
  const char* digest;
};

const Expected expected[] = {
    {"nifti/nibabel_anatomical.nii", "80457f926c96dd8438b6f7c99053f72b2caf46dbb294a710a5a7b43364f4e929"},
    {"nifti/nibabel_example4d.nii.gz", "1da771220f89edb5383d2c8a2db3add0a1962cbeea6aa213ba949edf6e58b22a"},
    {"nifti/nibabel_example_nifti2.nii.gz", "5bd65af3b6aeb96f4ca4a424c6fe2aab15a70bc0c6dfba27ac647b97c65864d9"},
    {"nifti/nibabel_functional.nii", "bb67df87f0224b428269815f208f04503747f472e601bdc5d668dcfb7741b209"},
    {"nifti/nibabel_reoriented_anat_moved.nii", "9e58efc96f6e892c4efed75ec3ae17d7b0c4a276cfbcfccd2731b18f8368e471"},
    {"nifti/nibabel_standard.nii.gz", "621193876a8bd4f9ccf9a3418f88ad8ec38fa2cd0f4a884ae1462146cc5a6bd5"},
    {"nifti/niivue_low_res.nii.gz", "e9fe6e6c77e1225634ff980ce3b9f5253ad29c5b5fc0f5694c99f760991a6cd6"},
    {"nifti/niivue_shear.nii.gz", "0556d0fad847d9d5480cd55de96d91c154b93192d741b621f378eb4c6f21d0ad"},
    {"networks/melodic114_000.nii.gz", "74c00a0b648bd71a25e380e9b7d74931f374d5225a23592ac0f888f9ac8589e0"},
    {"networks/melodic114_111.nii.gz", "f12f1cffc982fd469792f69a7b657edf6c8fc282b4dc42a7bc912ff3ca4f1196"},
    {"networks/mask_MNI152_4mm.nii.gz", "9d5f5d9b2ce6985f7205487f258b0a9666340c644289d630d68225d9c829e98e"},
    {"networks/background_MNI152_T1_4mm_brain.nii.gz",
     "827146ba96d61ea9fb614f5f8edca26295f3bbb06e0d0951c33c8ef6bb417bbb"},
};

TEST(RealFiles, EveryBitIsAsNibabelReadsIt) {
  static_assert(std::endian::native == std::endian::little);
  if (!fs::exists(fs::path(SMPC_SHARED_DATA) / "nifti")) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  for (const Expected& e : expected) {
    const Scan scan = load_scan(fs::path(SMPC_SHARED_DATA) / e.file, {true, {}});
    Sha256 digest;
    digest.update(std::as_bytes(std::span(scan.header.grid.affine)));
    for (const auto& volume : scan.volumes) digest.update(std::as_bytes(std::span(volume)));
    EXPECT_EQ(to_hex(digest.finish()), e.digest) << e.file;
  }
}

}  // namespace
}  // namespace smpc
