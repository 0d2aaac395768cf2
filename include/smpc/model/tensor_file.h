// A tensor from a file of its own: ONNX's TensorProto, as the data of test suites is (input_0.pb).
#pragma once

#include <filesystem>

#include "smpc/base/array.h"

namespace smpc {

// FLOAT, DOUBLE, FLOAT16, INT64, INT32 or BOOL. Refuses (bad_input) everything else, naming what was found: other bytes, payloads
// that are not as long as the dims say, values that are not finite, values in another file.
Array load_onnx_tensor(const std::filesystem::path& path);

}  // namespace smpc
