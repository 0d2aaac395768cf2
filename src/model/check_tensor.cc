// A tensor's payload against its type and dims.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "proto.h"

namespace smpc {
namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian, and is copied as it is");

// Values in a whole file of less than 2 GB.
constexpr std::int64_t most_elements = std::numeric_limits<std::int32_t>::max();

std::int64_t checked_count(const TensorProto& t, const std::string& what, const std::string& source) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t d : t.dims()) {
    if (d < 0) fail_model(source, what + ": expected dimensions of at least 0, found " + std::to_string(d));
    if (d == 0) empty = true;
    if (d > 0 && count > most_elements / d) {
      fail_model(source,
                 what + ": its dimensions overflow; expected at most " + std::to_string(most_elements) + " elements");
    }
    if (d > 0) count *= d;
  }
  return empty ? 0 : count;
}

struct Payload {
  std::int64_t element_bytes;  // in raw_data
  std::int64_t typed;          // elements in the field of its type
};

std::optional<Payload> payload_of(const TensorProto& t) {
  switch (t.data_type()) {
    case TensorProto::FLOAT: return Payload{4, t.float_data_size()};
    case TensorProto::DOUBLE: return Payload{8, t.double_data_size()};
    case TensorProto::INT64: return Payload{8, t.int64_data_size()};
    case TensorProto::INT32: return Payload{4, t.int32_data_size()};
    case TensorProto::BOOL: return Payload{1, t.int32_data_size()};
    case TensorProto::FLOAT16: return Payload{2, t.int32_data_size()};
    default: return std::nullopt;
  }
}

void check_payload(const TensorProto& t, const std::string& what, const std::string& source) {
  const std::int64_t count = checked_count(t, what, source);
  const auto payload = payload_of(t);
  if (!payload) {
    fail_model(source, what + ": expected elements of type FLOAT, DOUBLE, FLOAT16, INT64, INT32 or BOOL, found " +
                           data_type_name(t.data_type()) + "; export the model in float32");
  }
  const std::int64_t typed_any = std::int64_t{t.float_data_size()} + t.double_data_size() + t.int64_data_size() +
                                 t.int32_data_size() + t.uint64_data_size() + t.string_data_size();
  if (typed_any != payload->typed || (t.has_raw_data() && typed_any != 0)) {
    fail_model(source, what + ": expected its values in one field, that of its type, found several");
  }
  if (t.has_raw_data()) {
    const auto found = t.raw_data().size();
    const auto expected = static_cast<std::size_t>(count * payload->element_bytes);
    if (found != expected) {
      fail_model(source,
                 what + ": its dimensions need " + std::to_string(expected) + " bytes, found " + std::to_string(found));
    }
  } else if (payload->typed != count) {
    fail_model(source, what + ": its dimensions need " + std::to_string(count) + " values, found " +
                           std::to_string(payload->typed));
  }
}

// Halves are looked at by their bits.
struct Half {
  std::uint16_t bits;
};
bool is_finite(float v) { return std::isfinite(v); }
bool is_finite(double v) { return std::isfinite(v); }
bool is_finite(Half v) { return (v.bits & 0x7c00) != 0x7c00; }  // an exponent of all ones
bool is_least(float v) { return v == -std::numeric_limits<float>::infinity(); }
bool is_least(double v) { return v == -std::numeric_limits<double>::infinity(); }
bool is_least(Half v) { return v.bits == 0xfc00; }

class NotFinite {
 public:
  template <class T>
  void look_at(T v) {
    if (!is_finite(v)) {
      if (!first_) first_ = count_;
      mask_ = mask_ && is_least(v);
    }
    ++count_;
  }
  void refuse(const std::string& what, const std::string& source) const {
    if (!first_) return;
    const std::string found = what + ": expected finite values, found ";
    if (mask_) {
      fail_model(source, found + "-infinity at element " + std::to_string(*first_) +
                             ", as masks of an attention have it; put -1e4 in its place, which a Softmax makes zero as well");
    }
    fail_model(source, found + "NaN or infinity at element " + std::to_string(*first_) + "; train or export the model again");
  }

 private:
  std::size_t count_ = 0;
  std::optional<std::size_t> first_;
  bool mask_ = true;  // whatever is not finite is -infinity
};

template <class T>
void look_at_all(NotFinite& values, const std::string& raw) {
  for (std::size_t i = 0; i < raw.size() / sizeof(T); ++i) {
    T v;
    std::memcpy(&v, raw.data() + i * sizeof(T), sizeof(T));
    values.look_at(v);
  }
}

void check_halves(const TensorProto& t, const std::string& what, const std::string& source) {
  NotFinite values;
  look_at_all<Half>(values, t.raw_data());
  for (int i = 0; i < t.int32_data_size(); ++i) {
    const int half = t.int32_data(i);
    if (half < 0 || half > 0xffff) fail_model(source, what + ": element " + std::to_string(i) + " is no FLOAT16");
    values.look_at(Half{static_cast<std::uint16_t>(half)});
  }
  values.refuse(what, source);
}

void check_flags(const TensorProto& t, const std::string& what, const std::string& source) {
  std::optional<std::size_t> bad;
  for (std::size_t i = 0; i < t.raw_data().size() && !bad; ++i) {
    if (t.raw_data()[i] != 0 && t.raw_data()[i] != 1) bad = i;
  }
  for (int i = 0; i < t.int32_data_size() && !bad; ++i) {
    if (t.int32_data(i) != 0 && t.int32_data(i) != 1) bad = static_cast<std::size_t>(i);
  }
  if (bad) fail_model(source, what + ": element " + std::to_string(*bad) + " is neither true nor false");
}

void check_values(const TensorProto& t, const std::string& what, const std::string& source) {
  if (t.data_type() == TensorProto::FLOAT16) return check_halves(t, what, source);
  if (t.data_type() == TensorProto::BOOL) return check_flags(t, what, source);
  NotFinite values;
  if (t.data_type() == TensorProto::FLOAT) {
    look_at_all<float>(values, t.raw_data());
    for (const float v : t.float_data()) values.look_at(v);
  } else if (t.data_type() == TensorProto::DOUBLE) {
    look_at_all<double>(values, t.raw_data());
    for (const double v : t.double_data()) values.look_at(v);
  }
  values.refuse(what, source);
}

}  // namespace

const char* data_type_name(int type) {
  static constexpr const char* names[] = {"UNDEFINED", "FLOAT",  "UINT8",     "INT8",       "UINT16",  "INT16",
                                          "INT32",     "INT64",  "STRING",    "BOOL",       "FLOAT16", "DOUBLE",
                                          "UINT32",    "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16",
                                          "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4"};
  return type >= 0 && type < static_cast<int>(std::size(names)) ? names[type] : "a type unknown to IR version 10";
}

std::size_t element_count(const TensorProto& t) {
  std::size_t count = 1;
  for (const std::int64_t d : t.dims()) count *= static_cast<std::size_t>(d);
  return count;
}

void check_tensor(const TensorProto& t, const std::string& what, const std::string& source) {
  if (t.data_location() != TensorProto::DEFAULT || t.external_data_size() != 0) {
    fail_model(source, what +
                           ": its values are in another file, which is not opened here; give the model as a file beside it, or save "
                           "it with its weights inside (onnx.save_model(..., save_as_external_data=False))");
  }
  if (t.has_segment()) fail_model(source, what + ": segmented tensors are not supported; store it whole");
  check_payload(t, what, source);
  check_values(t, what, source);
}

}  // namespace smpc
