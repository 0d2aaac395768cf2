// Messages to the Model that other rooms see.
#include <cstring>
#include <span>
#include <utility>

#include "proto.h"
#include "smpc/base/array.h"
#include "smpc/base/error.h"
#include "smpc/base/mapped_file.h"
#include "smpc/base/secret.h"
#include "smpc/model/strip.h"

namespace smpc {
namespace {

using onnx::AttributeProto;
using onnx::NodeProto;
using onnx::TensorProto;

// What protobuf held is wiped and given back at once.
template <class Values, class Typed>
Values take_values(std::string* raw, Typed* typed) {
  Values out;
  if (raw != nullptr) {
    out.resize(raw->size() / sizeof(typename Values::value_type));
    if (!raw->empty()) std::memcpy(out.data(), raw->data(), raw->size());
    wipe(std::as_writable_bytes(std::span(*raw)));  // in place: of a short string a move leaves a copy
    std::string().swap(*raw);
  } else {
    out.assign(typed->begin(), typed->end());
    Typed gone;
    gone.Swap(typed);
    wipe(std::as_writable_bytes(std::span(gone.mutable_data(), static_cast<std::size_t>(gone.size()))));
  }
  return out;
}

// FLOAT16 is float from here on.
SecretVector<float> take_halves(TensorProto& t) {
  SecretVector<float> out;
  if (t.has_raw_data()) {
    const auto halves = take_values<SecretVector<std::uint16_t>>(t.mutable_raw_data(), t.mutable_int32_data());
    for (const std::uint16_t h : halves) out.push_back(static_cast<float>(half_value(h)));
  } else {
    const auto halves = take_values<SecretVector<std::int32_t>>(nullptr, t.mutable_int32_data());
    for (const std::int32_t h : halves) out.push_back(static_cast<float>(half_value(static_cast<std::uint16_t>(h))));
  }
  return out;
}

// INT32 is int64 from here on.
std::vector<std::int64_t> take_narrow_integers(TensorProto& t, std::string* raw) {
  const auto narrow = take_values<std::vector<std::int32_t>>(raw, t.mutable_int32_data());
  return {narrow.begin(), narrow.end()};
}

Tensor take_tensor(TensorProto& t) {
  Tensor out;
  out.dims.assign(t.dims().begin(), t.dims().end());
  std::string* raw = t.has_raw_data() ? t.mutable_raw_data() : nullptr;
  switch (t.data_type()) {
    case TensorProto::FLOAT: out.values = take_values<SecretVector<float>>(raw, t.mutable_float_data()); break;
    case TensorProto::DOUBLE: out.values = take_values<SecretVector<double>>(raw, t.mutable_double_data()); break;
    case TensorProto::FLOAT16: out.values = take_halves(t); break;
    case TensorProto::INT64: out.values = take_values<std::vector<std::int64_t>>(raw, t.mutable_int64_data()); break;
    case TensorProto::INT32: out.values = take_narrow_integers(t, raw); break;
    default: out.values = take_values<std::vector<std::uint8_t>>(raw, t.mutable_int32_data()); break;
  }
  SMPC_CHECK(out.size() == element_count(t));
  return out;
}

Tensor take_constant(NodeProto& n) {
  AttributeProto& a = *n.mutable_attribute(0);
  if (a.has_t()) return take_tensor(*a.mutable_t());
  Tensor out;
  if (a.name() == "value_float") {
    out.values = SecretVector<float>{a.f()};
  } else if (a.name() == "value_int") {
    out.values = std::vector<std::int64_t>{a.i()};
  } else if (a.name() == "value_floats") {
    out.values = SecretVector<float>(a.floats().begin(), a.floats().end());
    out.dims = {a.floats_size()};
  } else {
    out.values = std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
    out.dims = {a.ints_size()};
  }
  return out;
}

Attribute take_attribute(AttributeProto& a) {
  switch (a.type()) {
    case AttributeProto::FLOAT: return a.f();
    case AttributeProto::INT: return a.i();
    case AttributeProto::STRING: return a.s();
    case AttributeProto::FLOATS: return std::vector<float>(a.floats().begin(), a.floats().end());
    case AttributeProto::INTS: return std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
    case AttributeProto::STRINGS: return std::vector<std::string>(a.strings().begin(), a.strings().end());
    default: SMPC_CHECK(a.type() == AttributeProto::TENSOR); return take_tensor(*a.mutable_t());
  }
}

Node take_node(NodeProto& n) {
  Node out;
  out.name = n.name();
  out.op = n.op_type();
  out.inputs.assign(n.input().begin(), n.input().end());
  out.outputs.assign(n.output().begin(), n.output().end());
  for (AttributeProto& a : *n.mutable_attribute()) out.attributes.emplace(a.name(), take_attribute(a));
  return out;
}

ElementType element_type(int type) {
  switch (type) {
    case TensorProto::FLOAT:
    case TensorProto::FLOAT16: return ElementType::f32;
    case TensorProto::DOUBLE: return ElementType::f64;
    case TensorProto::INT64:
    case TensorProto::INT32: return ElementType::i64;
    default: SMPC_CHECK(type == TensorProto::BOOL); return ElementType::boolean;
  }
}

ValueInfo value_info(const onnx::ValueInfoProto& v) {
  ValueInfo out;
  out.name = v.name();
  const auto& type = v.type().tensor_type();
  out.type = element_type(type.elem_type());
  out.has_shape = type.has_shape();
  for (const auto& d : type.shape().dim()) out.dims.push_back(d.has_dim_value() ? d.dim_value() : unknown_dim);
  if (type.shape().dim_size() > 0) out.batch_symbol = type.shape().dim(0).dim_param();
  return out;
}

Model load_proto(onnx::ModelProto&& proto, const std::string& source) {
  const int opset = check_model(proto, source);
  std::vector<Part> parts = detach_weights(proto);
  run_onnx_checker(proto, opset, source);
  return to_model(std::move(proto), std::move(parts), opset, source);
}

}  // namespace

std::size_t Tensor::size() const noexcept {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

Tensor to_tensor(onnx::TensorProto&& tensor) { return take_tensor(tensor); }

Model to_model(onnx::ModelProto&& stripped, std::vector<Part>&& parts, int opset, const std::string& source) {
  Model out;
  out.source = source;
  out.opset = opset;
  auto& graph = *stripped.mutable_graph();
  for (Part& p : parts) out.constants.emplace(p.name(), p.is_node ? take_constant(p.node) : take_tensor(p.tensor));
  for (TensorProto& t : *graph.mutable_initializer()) out.constants.emplace(t.name(), take_tensor(t));
  for (NodeProto& n : *graph.mutable_node()) {
    if (n.op_type() == "Constant") {
      out.constants.emplace(n.output(0), take_constant(n));
    } else {
      out.nodes.push_back(take_node(n));
    }
  }
  for (const auto& v : graph.input()) {
    if (out.constants.count(v.name()) == 0) out.inputs.push_back(value_info(v));
  }
  for (const auto& v : graph.output()) out.outputs.push_back(value_info(v));
  for (const auto& p : stripped.metadata_props()) out.metadata.emplace(p.key(), p.value());
  return out;
}

Model load_model(const std::filesystem::path& path) {
  const std::string source = path.string();
  onnx::ModelProto proto = [&] {
    const MappedFile file(path);  // unmapped before the tensors are taken apart
    return parse_model(file.bytes(), source);
  }();
  read_external_data(proto, path.parent_path(), source);
  return load_proto(std::move(proto), source);
}

Model load_model(ByteView bytes, const std::string& source) { return load_proto(parse_model(bytes, source), source); }

}  // namespace smpc
