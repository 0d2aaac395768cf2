// Values in a file beside the model's, and in 16 bits.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "model/onnx_builder.h"
#include "smpc/model/strip.h"
#include "smpc/model/tensor_file.h"

namespace smpc::test {
namespace {

namespace fs = std::filesystem;

class ExternalData : public ::testing::Test {
 protected:
  ExternalData() {
    char name[] = "/tmp/smpc-external-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~ExternalData() override { fs::remove_all(folder_); }

  void write(const fs::path& path, const std::string& bytes) const { std::ofstream(folder_ / path, std::ios::binary) << bytes; }

  // The small model with its first weights at `location`.
  onnx::ModelProto moved(const std::string& location, std::vector<std::pair<std::string, std::string>> more = {}) const {
    onnx::ModelProto model = small_mlp().model;
    auto& t = *model.mutable_graph()->mutable_initializer(0);
    t.clear_raw_data();
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    more.insert(more.begin(), {"location", location});
    for (const auto& [key, value] : more) {
      auto& e = *t.add_external_data();
      e.set_key(key);
      e.set_value(value);
    }
    return model;
  }
  std::string values() const { return small_mlp().model.graph().initializer(0).raw_data(); }
  std::string error(const onnx::ModelProto& model) const {
    write("m.onnx", model.SerializeAsString());
    try {
      load_model(folder_ / "m.onnx");
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      return e.what();
    }
    return {};
  }

  fs::path folder_;
};

TEST_F(ExternalData, BesideTheModelIsReadAndStrippedAndJoined) {
  write("w.bin", "head" + values() + "tail");
  fs::create_directory(folder_ / "data");
  write("data/w.bin", values());
  const Model inside = load_model(as_bytes(small_mlp().model.SerializeAsString()), "m.onnx");
  const auto length = std::to_string(values().size());
  for (const auto& model : {moved("w.bin", {{"offset", "4"}, {"length", length}}), moved("data/w.bin")}) {
    write("m.onnx", model.SerializeAsString());
    const Model read = load_model(folder_ / "m.onnx");
    for (const auto& [name, tensor] : inside.constants) EXPECT_EQ(read.constants.at(name).values, tensor.values) << name;
    const std::string bytes = model.SerializeAsString();
    const Stripped s = strip(as_bytes(bytes), "m.onnx", "{}", folder_);
    const SecretBytes joined = join(s.model, s.weights, "w");
    const std::string whole = small_mlp().model.SerializeAsString();
    EXPECT_TRUE(std::equal(joined.begin(), joined.end(), as_bytes(whole).begin(), as_bytes(whole).end()));
  }
}

TEST_F(ExternalData, fault_49_ElsewhereOrThroughALinkIsRefusedUnopened) {
  write("w.bin", values());
  ASSERT_EQ(::symlink("w.bin", (folder_ / "link").c_str()), 0);
  fs::create_directory(folder_ / "real");
  write("real/w.bin", values());
  ASSERT_EQ(::symlink("real", (folder_ / "folder").c_str()), 0);
  write("once.bin", values());
  ASSERT_EQ(::link((folder_ / "once.bin").c_str(), (folder_ / "twice.bin").c_str()), 0);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const std::pair<std::string, const char*> cases[] = {
      {"../" + folder_.filename().string() + "/w.bin", "'..'"}, {"real/../w.bin", "'..'"}, {"./w.bin", "'..'"},
      {(folder_ / "w.bin").string(), "relative path"}, {"", "relative path"}, {std::string("w.bin\0x", 7), "relative path"},
      {"link", "plain file"}, {"folder/w.bin", "no links"}, {"once.bin", "hard link"}, {"pipe", "plain file"}, {"real", "plain file"},
      {"none.bin", "not there"}, {"w.bin/", "no links"}};
  for (const auto& [location, word] : cases) {
    EXPECT_TRUE(has(error(moved(location)), {"'w1'", word, "beside it"})) << location;
  }
  // By bytes alone there is no folder.
  const std::string bytes = moved("w.bin").SerializeAsString();
  EXPECT_THROW(load_model(as_bytes(bytes), "m.onnx"), Error);
  EXPECT_THROW(strip(as_bytes(bytes), "m.onnx", "{}"), Error);
}

TEST_F(ExternalData, LengthsAndOffsetsAreChecked) {
  write("w.bin", values());
  EXPECT_EQ(error(moved("w.bin")), "");
  EXPECT_TRUE(has(error(moved("w.bin", {{"offset", "1"}})), {"'w1'", "bytes"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"offset", "99999999"}})), {"'w1'", "offset"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"offset", "-1"}})), {"'w1'", "offset", "number"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"length", "18446744073709551615"}})), {"'w1'", "18446744073709551615"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"length", "1x"}})), {"'w1'", "length", "number"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"location", "w.bin"}})), {"'w1'", "twice"}));
  EXPECT_TRUE(has(error(moved("w.bin", {{"colour", "red"}})), {"'w1'", "'colour'"}));
}

TEST(Halves, BecomeFloatsWhereverTheyStand) {
  const std::vector<std::pair<std::uint16_t, float>> known = {{0x0000, 0}, {0x3c00, 1}, {0xc000, -2}, {0x7bff, 65504}, {0x0001, 0x1p-24F},
                                                             {0x03ff, 0x1.ff8p-15F}, {0x3555, 0x1.554p-2F}, {0x8000, -0.0F}};
  onnx::TensorProto t;
  t.set_data_type(onnx::TensorProto::FLOAT16);
  t.add_dims(static_cast<std::int64_t>(known.size()));
  onnx::TensorProto raw = t;
  for (const auto& [half, value] : known) {
    t.add_int32_data(half);
    raw.mutable_raw_data()->append(reinterpret_cast<const char*>(&half), 2);
  }
  const fs::path file = fs::path(::testing::TempDir()) / ("smpc_half" + std::to_string(::getpid()) + ".pb");
  for (const auto& tensor : {t, raw}) {
    std::ofstream(file, std::ios::binary) << tensor.SerializeAsString();
    const Array a = load_onnx_tensor(file);
    EXPECT_EQ(a.shape, std::vector<std::size_t>{known.size()});
    for (std::size_t i = 0; i < known.size(); ++i) EXPECT_EQ(a.values[i], static_cast<double>(known[i].second)) << i;
  }
  t.set_int32_data(0, 0x7c00);  // infinity
  std::ofstream(file, std::ios::binary) << t.SerializeAsString();
  EXPECT_THROW(load_onnx_tensor(file), Error);
  t.set_int32_data(0, 0x10000);
  std::ofstream(file, std::ios::binary) << t.SerializeAsString();
  EXPECT_THROW(load_onnx_tensor(file), Error);
  std::ofstream(file, std::ios::binary) << "no tensor at all";
  EXPECT_THROW(load_onnx_tensor(file), Error);
  fs::remove(file);
}

}  // namespace
}  // namespace smpc::test
