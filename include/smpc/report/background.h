// The brain that maps are shown over: MNI152NLin6Asym, T1-weighted, without the skull, 45 x 54 x 45 voxels of 4 mm.
#pragma once

#include "smpc/base/bytes.h"

namespace smpc {

// The .nii.gz file as it is, for who draws it elsewhere. Its notice is src/report/background/NOTICE.
ByteView mni_background() noexcept;

}  // namespace smpc
