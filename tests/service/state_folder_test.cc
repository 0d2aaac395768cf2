// --state names a folder of this project's, or a new one; any other is left as it is.
#include "state_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::test {
namespace {

unsigned mode_of(const fs::path& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0);
  return st.st_mode & 07777U;
}

class OwnStateFolder : public ::testing::Test {
 protected:
  OwnStateFolder() : folder_(base_.path() / "state") {}
  void exists(mode_t mode) const {
    fs::create_directory(folder_);
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
  }
  void hold(const std::string& name) const { write_file(folder_ / name, as_bytes("x")); }
  std::string refused() const {
    const unsigned before = mode_of(folder_);
    const std::string said = error_of([&] { take_state_folder(folder_, "server.db"); }, ErrorKind::bad_input);
    EXPECT_EQ(mode_of(folder_), before);
    return said;
  }

  TemporaryFolder base_;
  fs::path folder_;
};

TEST_F(OwnStateFolder, ANewOneIsTheOwnersAlone) {
  take_state_folder(folder_, "server.db");
  EXPECT_EQ(mode_of(folder_), 0700U);
  take_state_folder(folder_, "server.db");
}

TEST_F(OwnStateFolder, AnEmptyOneOfThisUserIsTaken) {
  exists(0755);
  take_state_folder(folder_, "server.db");
  EXPECT_EQ(mode_of(folder_), 0700U);
}

TEST_F(OwnStateFolder, OursIsTakenWithWhateverIsBesideIt) {
  exists(0755);
  hold("server.db");
  hold("notes.txt");
  take_state_folder(folder_, "server.db");
  EXPECT_EQ(mode_of(folder_), 0700U);
}

TEST_F(OwnStateFolder, WhatIsLeftOfOursIsTaken) {
  exists(0700);
  for (const char* name : {"lock", "masked", "server.db-wal", "lost+found"}) hold(name);
  take_state_folder(folder_, "server.db");
}

TEST_F(OwnStateFolder, OneThatHoldsSomethingElseIsRefusedAndNotClosed) {
  exists(0755);
  hold("thesis.tex");
  EXPECT_HAS(refused(), "the state folder " + folder_.string() + ": expected an empty folder or one with server.db, found thesis.tex; "
                        "name another with --state, which is made where it is not there, as " + (folder_ / "smpc").string());
  take_state_folder(folder_ / "smpc", "server.db");
}

TEST_F(OwnStateFolder, AnotherRolesIsRefused) {
  exists(0700);
  hold("client.db");
  EXPECT_HAS(refused(), "expected an empty folder or one with server.db, found client.db");
}

TEST_F(OwnStateFolder, AnotherUsersIsRefused) {
  if (::geteuid() == 0) {
    exists(0755);
    ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  } else {
    folder_ = "/";
  }
  EXPECT_HAS(refused(), "expected a folder of user " + std::to_string(::geteuid()) + ", who runs this, found one of user ");
}

TEST_F(OwnStateFolder, ASharedOneIsRefused) {
  exists(01777);
  EXPECT_HAS(refused(), "expected a folder of its own, found one that many share");
}

TEST_F(OwnStateFolder, WhatIsNoFolderIsRefused) {
  write_file(folder_, as_bytes("x"));
  EXPECT_HAS(refused(), "cannot be made, found " + folder_.string() + ", which is no folder but a file");
}

TEST_F(OwnStateFolder, ADatabaseThatCannotBeOpenedIsNamed) {
  take_state_folder(folder_, "server.db");
  fs::create_directory(folder_ / "server.db");
  EXPECT_HAS(error_of([&] { Database(folder_ / "server.db", ""); }, ErrorKind::bad_input), "server.db: cannot open, found ");
}

TEST_F(OwnStateFolder, ADatabaseThatCannotBeWrittenIsNamed) {
  { Database(folder_ / "server.db", "CREATE TABLE t (x)"); }
  if (::geteuid() == 0) GTEST_SKIP() << "root may write whatever it likes";
  fs::permissions(folder_ / "server.db", fs::perms::owner_read);
  EXPECT_HAS(error_of([&] { Database(folder_ / "server.db", ""); }, ErrorKind::bad_input), "server.db: cannot write, found no permission (mode 0400");
}

}  // namespace
}  // namespace smpc::test
