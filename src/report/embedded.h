// Files of this folder that the library carries with it; the build makes their sources (embed.cmake).
#pragma once

#include "smpc/base/bytes.h"

namespace smpc::report {

ByteView background_file() noexcept;  // background/MNI152_T1_4mm_brain.nii.gz
ByteView style_file() noexcept;       // style.css

}  // namespace smpc::report
