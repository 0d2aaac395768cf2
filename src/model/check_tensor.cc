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
    case TensorProto::BOOL: return Payload{1, t.int32_data_size()};
    case TensorProto::FLOAT16: return Payload{2, t.int32_data_size()};
    default: return std::nullopt;
  }
}

void check_payload(const TensorProto& t, const std::string& what, const std::string& source) {
  const std::int64_t count = checked_count(t, what, source);
  const auto payload = payload_of(t);
  if (!payload) {
    fail_model(source, what + ": expected elements of type FLOAT, DOUBLE, FLOAT16, INT64 or BOOL, found " +
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

template <class T>
std::optional<std::size_t> first_not_finite(const std::string& raw) {
  for (std::size_t i = 0; i < raw.size() / sizeof(T); ++i) {
    T v;
    std::memcpy(&v, raw.data() + i * sizeof(T), sizeof(T));
    if (!std::isfinite(v)) return i;
  }
  return std::nullopt;
}

template <class Values>
std::optional<std::size_t> first_not_finite_of(const Values& values) {
  for (int i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return static_cast<std::size_t>(i);
  }
  return std::nullopt;
}

void check_values(const TensorProto& t, const std::string& what, const std::string& source) {
  std::optional<std::size_t> bad;
  if (t.data_type() == TensorProto::FLOAT) {
    bad = t.has_raw_data() ? first_not_finite<float>(t.raw_data()) : first_not_finite_of(t.float_data());
  } else if (t.data_type() == TensorProto::DOUBLE) {
    bad = t.has_raw_data() ? first_not_finite<double>(t.raw_data()) : first_not_finite_of(t.double_data());
  } else if (t.data_type() == TensorProto::FLOAT16) {
    constexpr int exponent = 0x7c00;  // all ones: no number
    for (std::size_t i = 0; i < t.raw_data().size() / 2 && !bad; ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, t.raw_data().data() + 2 * i, 2);
      if ((half & exponent) == exponent) bad = i;
    }
    for (int i = 0; i < t.int32_data_size() && !bad; ++i) {
      const int half = t.int32_data(i);
      if (half < 0 || half > 0xffff) fail_model(source, what + ": element " + std::to_string(i) + " is no FLOAT16");
      if ((half & exponent) == exponent) bad = static_cast<std::size_t>(i);
    }
  } else if (t.data_type() == TensorProto::BOOL) {
    for (std::size_t i = 0; i < t.raw_data().size() && !bad; ++i) {
      if (t.raw_data()[i] != 0 && t.raw_data()[i] != 1) bad = i;
    }
    for (int i = 0; i < t.int32_data_size() && !bad; ++i) {
      if (t.int32_data(i) != 0 && t.int32_data(i) != 1) bad = static_cast<std::size_t>(i);
    }
    if (bad) fail_model(source, what + ": element " + std::to_string(*bad) + " is neither true nor false");
  }
  if (bad) {
    fail_model(source, what + ": expected finite values, found NaN or infinity at element " + std::to_string(*bad) +
                           "; train or export the model again");
  }
}

}  // namespace

const char* data_type_name(int type) {
  static constexpr const char* names[] = {"UNDEFINED", "FLOAT",  "UINT8",     "INT8",       "UINT16",  "INT16",
                                          "INT32",     "INT64",  "STRING",    "BOOL",       "FLOAT16", "DOUBLE",
                                          "UINT32",    "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"};
  return type >= 0 && type < static_cast<int>(std::size(names)) ? names[type] : "a type unknown to IR version 8";
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
