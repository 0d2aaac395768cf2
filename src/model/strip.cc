#include "smpc/model/strip.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>

#include "proto.h"
#include "smpc/base/digest.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using google::protobuf::MessageLite;

constexpr std::string_view magic("SMPCWGT\0", 8);
constexpr std::uint32_t version = 1;
constexpr std::size_t longest_options = std::size_t{1} << 24;
constexpr std::size_t part_head_bytes = 1 + 4 + 1 + 8;

// Appends a message at the end of `out`; false at 2 GB.
template <class Out>
bool append_message(const MessageLite& message, Out& out) {
  const std::size_t size = message.ByteSizeLong();
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
  const std::size_t at = out.size();
  out.resize(at + size);
  google::protobuf::io::ArrayOutputStream stream(out.data() + at, static_cast<int>(size));
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  return message.SerializeToCodedStream(&coded) && !coded.HadError();
}

template <class Out>
Out to_bytes(const MessageLite& message, const std::string& source) {
  Out out;
  if (!append_message(message, out)) fail_model(source, "expected a model of less than 2 GB; use a smaller one");
  return out;
}

void append(SecretBytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

const MessageLite& message_of(const Part& p) {
  if (p.is_node) return p.node;
  return p.tensor;
}

SecretBytes weights_file(ByteView stripped, std::vector<Part>&& parts, std::string_view options, const std::string& source) {
  ByteWriter head;
  head.bytes(as_bytes(magic));
  head.u32(version);
  head.text(options);
  head.u64(stripped.size());
  head.bytes(stripped);
  head.u32(static_cast<std::uint32_t>(parts.size()));
  std::size_t total = head.data().size() + sizeof(Digest);
  for (const Part& p : parts) total += part_head_bytes + message_of(p).ByteSizeLong();
  SecretBytes out;
  out.reserve(total);
  append(out, head.data());
  for (Part& p : parts) {
    ByteWriter w;
    w.u8(p.is_node ? 1 : 0);
    w.u32(p.position);
    w.u8(p.listed ? 1 : 0);
    w.u64(message_of(p).ByteSizeLong());
    append(out, w.data());
    if (!append_message(message_of(p), out))
      fail_model(source, "expected a model of less than 2 GB; use a smaller one");
    const Part gone = std::move(p);
  }
  append(out, sha256(out));
  SMPC_CHECK(out.size() == total);
  return out;
}

// The file after its digest and head have been checked, up to its parts.
struct Opened {
  WeightsHeader header;
  ByteReader parts;
};

Opened open_weights(ByteView weights, const std::string& source) {
  if (weights.size() < magic.size() || as_text(weights.first(magic.size())) != magic) {
    fail_model(source, "expected a weights file, found another format; make it with smpc-compile");
  }
  const std::size_t body = weights.size() - std::min(weights.size(), sizeof(Digest));
  const Digest digest = sha256(weights.first(body));
  const ByteView found = weights.subspan(body);
  if (!std::equal(digest.begin(), digest.end(), found.begin(), found.end())) {
    fail_model(source,
               "the weights file is damaged or cut short: its digest is not that of its content; make it again");
  }
  ByteReader r(weights.first(body), source);
  r.bytes(magic.size());
  const std::uint32_t v = r.u32();
  if (v != version) {
    fail_model(source, "expected version " + std::to_string(version) + " of the weights file, found " +
                           std::to_string(v) + "; make it again with this smpc-compile");
  }
  WeightsHeader header;
  header.options = r.text(longest_options);
  const ByteView stripped = r.bytes(r.u64());
  header.stripped.assign(stripped.begin(), stripped.end());
  return {std::move(header), r};
}

std::vector<Part> read_parts(ByteReader& r, const std::string& source) {
  std::vector<Part> parts(r.count(part_head_bytes));
  for (Part& p : parts) {
    const std::uint8_t kind = r.u8();
    p.position = r.u32();
    const std::uint8_t listed = r.u8();
    const ByteView bytes = r.bytes(r.u64());
    p.is_node = kind == 1;
    p.listed = listed == 1;
    MessageLite& message = p.is_node ? static_cast<MessageLite&>(p.node) : p.tensor;
    if (kind > 1 || listed > 1 || bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
        !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      fail_model(source, "a part of the weights file cannot be read; make it again");
    }
  }
  r.expect_end();
  return parts;
}

onnx::ModelProto joined(Opened&& opened, const std::string& source) {
  onnx::ModelProto model = parse_model(opened.header.stripped, source);
  unmark_stripped(model);
  if (!attach_weights(model, read_parts(opened.parts, source))) {
    fail_model(source, "the parts of the weights file do not fit its model; make it again");
  }
  return model;
}

}  // namespace

Stripped strip(ByteView model, const std::string& source, std::string_view options, const std::filesystem::path& folder) {
  SMPC_CHECK(options.size() <= longest_options);
  onnx::ModelProto proto = parse_model(model, source);
  if (!folder.empty()) read_external_data(proto, folder, source);
  const int opset = check_model(proto, source);
  std::vector<Part> parts = detach_weights(proto);
  run_onnx_checker(proto, opset, source);
  SMPC_CHECK(find_weight(proto).empty());
  for (const auto& p : proto.metadata_props()) {
    if (p.key() == stripped_mark) fail_model(source, "expected a model with its weights, found a stripped one; join it first");
  }
  mark_stripped(proto);
  Stripped out;
  out.model = to_bytes<Bytes>(proto, source);
  out.weights = weights_file(out.model, std::move(parts), options, source);
  return out;
}

WeightsHeader read_weights_header(ByteView weights, const std::string& source) {
  return open_weights(weights, source).header;
}

SecretBytes join(ByteView stripped, ByteView weights, const std::string& source) {
  Opened opened = open_weights(weights, source);
  const auto& own = opened.header.stripped;
  if (!std::equal(own.begin(), own.end(), stripped.begin(), stripped.end())) {
    fail_model(source,
               "the stripped model is not the one that these weights were taken from; use the pair that one run "
               "of smpc-compile wrote");
  }
  return to_bytes<SecretBytes>(joined(std::move(opened), source), source);
}

Model load_weights(ByteView weights, const std::string& source) {
  onnx::ModelProto proto = joined(open_weights(weights, source), source);
  const int opset = check_model(proto, source);
  std::vector<Part> parts = detach_weights(proto);
  return to_model(std::move(proto), std::move(parts), opset, source);
}

void require_stripped(ByteView model, const std::string& source) {
  const onnx::ModelProto proto = parse_model(model, source);
  check_model(proto, source);
  const std::string weight = find_weight(proto);
  if (!weight.empty()) fail_model(source, "expected a stripped model, found a weight left in it: " + weight);
}

}  // namespace smpc
