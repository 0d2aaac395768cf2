// Bytes to messages.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>
#include <map>
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

// The fields that came with IR version 10 and say nothing about what is computed: metadata_props wherever it is a list of texts, and
// the name of a function's overload where there is none.
bool is_known_since(const std::string& message, const google::protobuf::UnknownField& field) {
  if (field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) return false;
  const std::string& bytes = field.length_delimited();
  if (message == "NodeProto" && field.number() == 8) return bytes.empty();
  static const std::map<std::string, int> metadata = {{"NodeProto", 9}, {"GraphProto", 16}, {"TensorProto", 16}, {"ValueInfoProto", 4}};
  const auto at = metadata.find(message);
  if (at == metadata.end() || at->second != field.number()) return false;
  onnx::StringStringEntryProto entry;
  return entry.ParseFromString(bytes) && entry.unknown_fields().empty();
}

// Depth is bounded: the parser has refused more than 100 levels.
void refuse_unknown_fields(const Message& message, const std::string& source) {
  const auto* reflection = message.GetReflection();
  const auto& unknown = reflection->GetUnknownFields(message);
  const std::string& name = message.GetDescriptor()->name();
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (is_known_since(name, unknown.field(i))) continue;
    fail_model(source, "field " + std::to_string(unknown.field(i).number()) + " of a " + name +
                           " is unknown to IR version " + std::to_string(newest_ir) +
                           "; export the model with that IR version or an older one");
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
