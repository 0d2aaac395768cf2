// Values in a file beside the model's, and in 16 bits.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/onnx_builder.h"
#include "smpc/base/fd.h"
#include "smpc/model/strip.h"
#include "smpc/model/tensor_file.h"
#include "src/model/open_beneath.h"

namespace smpc::test {
namespace {

namespace fs = std::filesystem;

bool has_openat2() {
  open_how how{};
  how.flags = O_PATH;
  const Fd root(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how))));
  return root.get() >= 0;
}

// For this process, from now on.
bool forbid_openat2(int error) {
  sock_filter rules[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

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
  for (const auto& model : {moved("w.bin", {{"offset", "4"}, {"length", length}}), moved("data/w.bin"), moved("./data/w.bin"),
                            moved("data/./w.bin")}) {
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
      {"../" + folder_.filename().string() + "/w.bin", "'..'"}, {"real/../w.bin", "'..'"}, {"./../w.bin", "'..'"}, {".", "name of a file"}, {"./", "name of a file"}, {"w.bin/.", "no links"},
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

// What a path leads to may change after it was looked at: the kernel itself follows no link and stays below the folder.
TEST_F(ExternalData, fault_49_TheKernelKeepsAPathBelowItsFolder) {
  write("w.bin", values());
  fs::create_directory(folder_ / "real");
  fs::create_directory(folder_ / "model");
  write("model/w.bin", values());
  ASSERT_EQ(::symlink("../real", (folder_ / "model/folder").c_str()), 0);
  ASSERT_EQ(::symlink("w.bin", (folder_ / "model/link").c_str()), 0);
  write("real/w.bin", values());
  const Fd inside(open_beneath(folder_ / "model", "w.bin"));
  EXPECT_GE(inside.get(), 0);
  if (!has_openat2()) GTEST_SKIP() << "this kernel, or a sandbox, has no openat2";
  for (const char* path : {"folder/w.bin", "link", "../w.bin", "/etc/passwd"}) {
    const Fd file(open_beneath(folder_ / "model", path));
    EXPECT_LT(file.get(), 0) << path;
  }
}

// A kernel without openat2: what is beside the model is read all the same, and links are refused by what lstat says.
TEST_F(ExternalData, WithoutOpenat2IsReadTheOldWay) {
  write("w.bin", values());
  write("m.onnx", moved("./w.bin").SerializeAsString());
  ASSERT_EQ(::symlink("w.bin", (folder_ / "link").c_str()), 0);
  write("n.onnx", moved("link").SerializeAsString());
  for (const int error : {ENOSYS, EPERM}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (!forbid_openat2(error)) ::_exit(77);
      const auto is_read = [&](const char* name) {
        try {
          load_model(folder_ / name);
        } catch (const Error&) {
          return false;
        }
        return true;
      };
      ::_exit(!has_openat2() && is_read("m.onnx") && !is_read("n.onnx") ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no system call can be forbidden here";
    EXPECT_EQ(status, 0);
  }
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
