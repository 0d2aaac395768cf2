// Where an uploaded scan lies.
#include "upload.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::web {
namespace {

class Uploads : public ::testing::Test {
 protected:
  Uploads() { ::setenv("TMPDIR", folder_.path().c_str(), 1); }
  ~Uploads() override { ::unsetenv("TMPDIR"); }
  test::TemporaryFolder folder_;
};

TEST_F(Uploads, IsAFileThatHasNoNameAndIsTheUsersAlone) {
  const std::string content = "what the browser sent";
  Upload upload(content.size());
  upload.append(std::span(content).first(4));
  upload.append(std::span(content).subspan(4));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_EQ(as_text(read_file(upload.path())), content);
  struct stat st {};
  ASSERT_EQ(::stat(upload.path().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  EXPECT_EQ(st.st_nlink, 0U);
  EXPECT_EQ(std::filesystem::read_symlink(upload.path()).parent_path(), folder_.path());
}

TEST_F(Uploads, IsGoneWithItsOwner) {
  std::filesystem::path path;
  {
    Upload upload(std::nullopt);
    path = upload.path();
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Uploads, AMissingTemporaryFolderIsRefusedByName) {
  const std::string nowhere = (folder_.path() / "nowhere").string();
  ::setenv("TMPDIR", nowhere.c_str(), 1);
  const std::string words = test::error_of([] { Upload upload(std::nullopt); }, ErrorKind::bad_input);
  EXPECT_HAS(words, nowhere);
  EXPECT_HAS(words, "set TMPDIR");
}

// A limit on the size of files stands for a full disk.
class FullDisk : public Uploads {
 protected:
  FullDisk() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small = before_;
    small.rlim_cur = 1 << 16;
    ::setrlimit(RLIMIT_FSIZE, &small);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() override {
    std::signal(SIGXFSZ, handler_);
    ::setrlimit(RLIMIT_FSIZE, &before_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(FullDisk, IsToldBeforeTheScanComes) {
  const std::string words = test::error_of([] { Upload upload((1 << 16) + 1); }, ErrorKind::bad_input);
  EXPECT_HAS(words, "room for the scan's 65537 bytes");
  EXPECT_HAS(words, folder_.path().string());
}

TEST_F(FullDisk, IsToldInTheMiddleWhereTheLengthWasNotKnown) {
  Upload upload(std::nullopt);
  const std::string piece(1 << 16, 'x');
  upload.append(piece);
  EXPECT_HAS(test::error_of([&] { upload.append(piece); }, ErrorKind::bad_input), "make room");
}

}  // namespace
}  // namespace smpc::web
