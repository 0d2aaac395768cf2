// Bytes to messages.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>
#include <mutex>

#include "proto.h"

namespace smpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// protobuf would write a line of its own to standard error for a message that it cannot parse.
void silence_protobuf() {
  static std::once_flag once;
  std::call_once(once, [] { google::protobuf::SetLogHandler(nullptr); });
}

// Depth is bounded: the parser has refused more than 100 levels.
void refuse_unknown_fields(const Message& message, const std::string& source) {
  const auto* reflection = message.GetReflection();
  const auto& unknown = reflection->GetUnknownFields(message);
  if (!unknown.empty()) {
    fail_model(source, "field " + std::to_string(unknown.field(0).number()) + " of a " +
                           message.GetDescriptor()->name() +
                           " is unknown to IR version 8; export the model with an older IR version");
  }
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      refuse_unknown_fields(reflection->GetMessage(message, field), source);
      continue;
    }
    const int count = reflection->FieldSize(message, field);
    for (int i = 0; i < count; ++i) refuse_unknown_fields(reflection->GetRepeatedMessage(message, field, i), source);
  }
}

}  // namespace

onnx::TensorProto parse_tensor(ByteView bytes, const std::string& source) {
  silence_protobuf();
  onnx::TensorProto tensor;
  if (bytes.empty() || bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !tensor.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail_model(source, "expected a tensor: an array by numpy (.npy) or an ONNX TensorProto (.pb), found another format");
  }
  refuse_unknown_fields(tensor, source);
  return tensor;
}

onnx::ModelProto parse_model(ByteView bytes, const std::string& source) {
  silence_protobuf();
  if (bytes.empty()) fail_model(source, "expected an ONNX model, found an empty file");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    fail_model(source, "expected a model of less than 2 GB, found " + std::to_string(bytes.size()) + " bytes");
  }
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail_model(source,
               "expected an ONNX model, found bytes that cannot be parsed: another format, cut short, damaged "
               "or nested too deep; export the model again");
  }
  refuse_unknown_fields(model, source);
  return model;
}

}  // namespace smpc
