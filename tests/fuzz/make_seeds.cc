// make_seeds FOLDER: what each target starts from, FOLDER/<target>/<seed>: right inputs, made by the same builders as
// the tests use, and so always of today's formats.
#include <fstream>
#include <iostream>
#include <thread>

#include "control.pb.h"
#include "fuzz/small_run.h"
#include "fuzz/stream_channel.h"
#include "image/nifti_writer.h"
#include "program/examples.h"
#include "service/recording_channel.h"
#include "smpc/base/file.h"
#include "smpc/compiler/compile.h"
#include "smpc/correlation/bundle.h"
#include "smpc/model/strip.h"
#include "wire.h"

namespace smpc::fuzz {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  explicit Folder(fs::path path) : path_(std::move(path)) { fs::create_directories(path_); }
  void add(const std::string& name, ByteView bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out << as_text(bytes);
    if (!out.flush()) fail_input((path_ / name).string() + ": cannot be written");
  }

 private:
  fs::path path_;
};

// The models that the tests of other rooms read; and their weights files, without the digest that the target adds.
void models(const fs::path& root) {
  const Folder onnx(root / "onnx");
  const Folder compile(root / "compile");
  const Folder weights(root / "weights");
  CompileOptions options;
  options.scale = 10;
  options.input_range = 8;
  options.labels = {"a", "b"};
  options.grid = default_grid();
  options.input_mask = InputMask{Bytes(1, std::byte{5}), 3};
  for (const auto& file : fs::directory_iterator(fs::path(SMPC_TEST_DATA) / "onnx")) {
    if (file.path().extension() != ".onnx") continue;
    const Bytes model = read_file(file.path());
    onnx.add(file.path().stem(), model);
    compile.add(file.path().stem(), model);
    try {
      const Stripped s = strip(model, "seed", to_json(options));
      onnx.add(file.path().stem().string() + "_stripped", s.model);
      weights.add(file.path().stem(), ByteView(s.weights).first(s.weights.size() - sizeof(Digest)));
    } catch (const Error&) {  // some of them are there to be refused
    }
  }
  // Layers of every kind, as ONNX's own suite has them: with their weights, and small.
  const fs::path data = "/usr/share/libonnx-testdata/data";
  const fs::path suite = data / "pytorch-converted";
  if (!fs::exists(suite)) return;
  for (const char* name : {"test_elu_default", "test_exp", "test_sqrt", "test_softmax_axis_1", "test_argmax_default_axis_example",
                           "test_layer_normalization_2d_axis1", "test_div", "test_matmul_2d", "test_split_equal_parts_1d"}) {
    const Bytes model = read_file(data / "node" / name / "model.onnx");
    onnx.add(name, model);
    compile.add(name, model);
  }
  for (const auto& entry : fs::directory_iterator(suite)) {
    const Bytes model = read_file(entry.path() / "model.onnx");
    if (model.size() > 4096) continue;
    onnx.add(entry.path().filename(), model);
    compile.add(entry.path().filename(), model);
  }
}

// Of every element type in either order, and a tensor.
void arrays(const fs::path& root) {
  const Folder out(root / "arrays");
  const auto npy = [&](const std::string& name, const std::string& descr, const char* fortran, std::size_t bytes) {
    const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (2, 3), }\n";
    std::string file("\x93NUMPY\1\0", 8);
    file += static_cast<char>(header.size());
    file += '\0';
    file += header + std::string(6 * bytes, '\x3c');
    out.add(name, as_bytes(file));
  };
  npy("float", "<f4", "False", 4);
  npy("double", ">f8", "True", 8);
  npy("half", "<f2", "False", 2);
  npy("long", ">i8", "False", 8);
  npy("byte", "|u1", "True", 1);
  const fs::path tensor = "/usr/share/libonnx-testdata/data/node/test_relu/test_data_set_0/input_0.pb";
  if (fs::exists(tensor)) out.add("tensor", read_file(tensor));
}

void programs(const fs::path& root) {
  const Folder out(root / "program");
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    Program p = testing::example(reveal);
    out.add(std::string("example_") + std::string(to_text(reveal)), encode(p));
    p.suite = Suite::masked;
    p.inputs = {{"x", {8, 1, 1}, -1, 1}};
    p.grid->shape = {8, 1, 1};
    p.input_mask = Bytes(1, std::byte{0x3f});
    out.add(std::string("mask_") + std::string(to_text(reveal)), encode(p));
  }
  out.add("graph", encode(testing::example_graph()));
  // As large as a program may be.
  Program large = testing::example(Reveal::logits);
  constexpr std::size_t most = std::size_t{1} << 32;
  large.inputs = {{"x", {most}, -0x1p-64, 0x1p-65}};
  large.grid.reset();
  large.outputs = {{"y", {1}}};
  large.labels = {"one"};
  large.tensors = {{most, 127, Ring{64}}, {16, 127, Ring{64}}, {16, 127, Ring{64}}, {most, 127, Ring{64}},
                   {most, 65, Ring{64}}, {1, 127, Ring{64}}};
  large.ops = {{"in", LinearOp{most, 16}}, {"relu", ReluOp{0}}, {"out", LinearOp{16, most}},
               {"cut", TruncateOp{62}}, {"last", LinearOp{most, 1}}};
  out.add("large", encode(large));
  for (unsigned kind = 0; kind < run_kinds; ++kind) {
    out.add("random_" + std::to_string(kind), encode(small_model(kind).program));
  }
}

void scans(const fs::path& root) {
  const Folder out(root / "nifti");
  const std::vector<float> voxels(24, 1.5F);
  const auto add = [&](const std::string& name, const testing::NiftiSpec& spec) {
    const std::string file = testing::nifti_file(spec, voxels);
    out.add(name, as_bytes(file));
    const std::string packed = testing::gzip(file);
    out.add(name + "_gz", as_bytes(packed));
  };
  testing::NiftiSpec spec;
  add("plain", spec);
  spec.swapped = true;
  spec.slope = 2;
  spec.intercept = -1;
  add("swapped", spec);
  spec.second = true;
  spec.extension = std::string("\1\0\0\0\0\0\0\20\0\0\0\6comment\0", 20);
  add("extended", spec);
  spec = {};
  spec.second = true;
  spec.dim = {4, 2, 3, 2, 2, 1, 1, 1};
  spec.sform_code = 0;
  spec.qform_code = 1;
  spec.quatern[0] = 0.5;
  add("quaternion", spec);
  spec = {};
  spec.datatype = DT_INT16;
  spec.bitpix = 16;
  spec.dim = {4, 4, 3, 2, 2, 1, 1, 1};
  add("shorts", spec);
}

BundleHeader header() {
  BundleHeader h;
  h.client = "urn:smpc:client:peer";
  h.expiry = std::int64_t{1} << 40;
  return h;
}

void bundles(const fs::path& root) {
  const Folder out(root / "bundle");
  out.add("signed", encode(header(), Key{}));
  out.add("nobody", encode(BundleHeader{}, Key{}));
}

void frames(const fs::path& root) {
  const Folder out(root / "frames");
  ByteWriter w;
  w.u8(4);
  for (const std::uint8_t script : {0, 9, 5, 9, 10, 9, 130, 1}) w.u8(script);
  const std::size_t lengths[] = {9, 9, 9, 16};
  const std::uint8_t types[] = {1, 2, 3, 1};
  for (std::size_t i = 0; i < 4; ++i) w.bytes(frame(types[i], Bytes(lengths[i])));
  out.add("all", w.data());
  ByteWriter refused;
  for (const std::uint8_t v : {1, 2, 40}) refused.u8(v);
  refused.bytes(frame(4, as_bytes("no more sessions")));
  out.add("refusal", refused.data());
}

// What an honest party sends in a run.
Bytes messages_of(unsigned kind, Party party) {
  const SmallRun& setting = small_run(kind);
  const auto record = std::make_shared<testing::Record>();
  testing::RecordingChannel to_peer(record, true);
  testing::RecordingChannel to_us(record, false);
  const auto source = setting.source(party);
  const auto source_of_peer = setting.source(other(party));
  PartyRun run = setting.run(party, *source);
  PartyRun peer = setting.run(other(party), *source_of_peer);
  {
    const std::jthread thread([&] { peer.execute(to_us); });
    run.execute(to_peer);
  }
  Bytes all;
  for (const testing::RecordedFrame& f : record->frames()) {
    if (f.from_first) all.insert(all.end(), f.payload.begin(), f.payload.end());
  }
  return all;
}

void inferences(const fs::path& root) {
  const Folder out(root / "inference");
  for (unsigned kind = 0; kind < run_kinds; ++kind) {
    for (const Party party : {Party::server, Party::client}) {
      ByteWriter w;
      w.u8(static_cast<std::uint8_t>(kind + (party == Party::server ? 0 : run_kinds)));
      w.bytes(messages_of(kind, other(party)));
      out.add((party == Party::server ? "server_" : "client_") + std::to_string(kind), w.data());
    }
  }
}

// As the target control reads them.
class Session {
 public:
  explicit Session(std::uint8_t listener) { w_.u8(listener); }
  Session& raw(FrameType type, ByteView payload) {
    w_.u8(static_cast<std::uint8_t>(type));
    w_.u8(static_cast<std::uint8_t>(payload.size()));
    w_.u8(static_cast<std::uint8_t>(payload.size() >> 8));
    w_.bytes(payload);
    return *this;
  }
  template <class Message>
  Session& say(Message m) {
    m.set_version(protocol_version);
    const std::string text = m.SerializeAsString();
    return raw(FrameType::control, as_bytes(text));
  }
  const Bytes& bytes() const { return w_.data(); }

 private:
  ByteWriter w_;
};

void sessions(const fs::path& root) {
  const Folder out(root / "control");
  control::ClientRequest program;
  program.mutable_fetch_program();
  control::ClientRequest weights;
  weights.mutable_fetch_weights()->set_offset(7);
  control::ClientRequest infer;
  const std::string bundle = text_of(encode(
      [] {
        BundleHeader h = header();
        h.client.clear();
        return h;
      }(),
      Key{}));
  infer.mutable_infer()->add_bundles(bundle);
  infer.mutable_infer()->add_bundles(bundle);
  control::ClientRequest done;
  done.mutable_done();
  out.add("server_fetches", Session(1).say(program).say(weights).say(done).bytes());
  Session run(1);
  run.say(infer);
  const Bytes content = messages_of(0, Party::client);
  ByteView messages(content);
  for (const Message& m : small_run(0).schedule().messages) {
    if (m.from != Party::client) continue;
    run.raw(FrameType::data, messages.first(m.bytes));
    messages = messages.subspan(m.bytes);
  }
  out.add("server_infers", run.say(done).bytes());

  control::DealerRequest registers;
  auto& r = *registers.mutable_register_program();
  r.set_program(text_of(encode(testing::example())));
  r.set_mask(std::string(32, 'm'));
  r.set_instance(std::string(16, 'i'));
  r.set_epoch(1);
  r.set_shared_key(std::string(32, 'k'));
  out.add("dealer_registers", Session(2).say(registers).bytes());
  control::DealerRequest takes;
  auto& t = *takes.mutable_take();
  t.set_program(std::string(32, 'p'));
  t.set_mask(std::string(32, 'm'));
  t.set_instance(std::string(16, 'i'));
  t.set_count(3);
  out.add("dealer_hands_out", Session(3).say(takes).bytes());

  control::ServerHello hello;
  hello.set_version(protocol_version);
  hello.set_program(std::string(32, 'p'));
  hello.set_reveal("label");
  hello.set_most_volumes(64);
  const std::string text = hello.SerializeAsString();
  ByteWriter w;
  w.u8(0);
  w.bytes(as_bytes(text));
  out.add("hello", w.data());
}

}  // namespace
}  // namespace smpc::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path root(argv[1]);
  std::filesystem::remove_all(root);
  smpc::fuzz::models(root);
  smpc::fuzz::arrays(root);
  smpc::fuzz::programs(root);
  smpc::fuzz::scans(root);
  smpc::fuzz::bundles(root);
  smpc::fuzz::frames(root);
  smpc::fuzz::inferences(root);
  smpc::fuzz::sessions(root);
}
