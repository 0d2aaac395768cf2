// What stands in the way of a file is named, by the true cause; a key is judged by who may read it.
#include "smpc/base/file.h"

#include <endian.h>
#include <gtest/gtest.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "smpc/base/mapped_file.h"
#include "smpc/base/private_file.h"
#include "support/expect_has.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "smpc-base-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~Files() override {
    std::error_code ignored;
    fs::permissions(folder_, fs::perms::owner_all, ignored);
    fs::remove_all(folder_, ignored);
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  fs::path made(const std::string& name, const std::string& text = "text") const {
    write_file(folder_ / name, as_bytes(text));
    return folder_ / name;
  }

  static std::string error_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      return e.what();
    }
    return "no error";
  }
  static std::string unread(const fs::path& path) {
    const std::string said = error_of([&] { read_file(path); });
    EXPECT_EQ(error_of([&] { MappedFile{path}; }), said);
    EXPECT_EQ(error_of([&] { read_head(path, 4); }), said);
    EXPECT_EQ(error_of([&] { read_private_file(path, 100); }), said);
    return said;
  }
  static std::string unwritten(const fs::path& path) {
    return error_of([&] { write_file(path, as_bytes("text")); });
  }

  fs::path folder_;
};

// Root may do anything: as somebody else, where this is root.
class AsAnother {
 public:
  AsAnother() : changed_(::geteuid() == 0 && ::seteuid(65534) == 0) {}
  ~AsAnother() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool changed_;
};

TEST_F(Files, WhatIsNotThereIsNamed) {
  EXPECT_HAS(unread(folder_ / "none"), "none: cannot read, found no such file");
  EXPECT_HAS(unread(folder_ / "a" / "b" / "none"), "found no folder " + (folder_ / "a").string() + ": make it first");
  EXPECT_HAS(unwritten(folder_ / "a" / "b" / "none"), "found no folder " + (folder_ / "a").string() + ": make it first");
  made("file");
  EXPECT_HAS(unread(folder_ / "file" / "none"), "found " + (folder_ / "file").string() + ", which is no folder but a file");
  EXPECT_HAS(unread(folder_ / std::string(300, 'a')), "a name that is too long");
  EXPECT_HAS(unwritten(folder_ / std::string(300, 'a')), "a name that is too long");
}

TEST_F(Files, LinksThatLeadNowhereAreNamed) {
  fs::create_symlink("gone", folder_ / "dead");
  EXPECT_HAS(unread(folder_ / "dead"), "found a link to gone, which is not there");
  fs::create_directory_symlink("gone", folder_ / "way");
  EXPECT_HAS(unread(folder_ / "way" / "file"), "found the link " + (folder_ / "way").string() + " to gone, which is not there");
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_HAS(unread(folder_ / "loop"), "a link that leads back to itself, or too many links");
  // As git annex makes them.
  fs::create_symlink("../.git/annex/objects/X1/2Z/MD5E-s9--0.nii.gz/MD5E-s9--0.nii.gz", folder_ / "scan.nii.gz");
  EXPECT_HAS(unread(folder_ / "scan.nii.gz"), "run git annex get " + (folder_ / "scan.nii.gz").string());
}

TEST_F(Files, PointersToContentElsewhereAreNamed) {
  // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
  const auto lfs = made("model.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, '0') + "\nsize 12\n");
  EXPECT_HAS(error_of([&] { read_file(lfs); }), "a pointer of Git LFS whose content is not on this machine: run git lfs pull");
  EXPECT_HAS(error_of([&] { MappedFile{lfs}; }), "run git lfs pull");
  // https://git-annex.branchable.com/internals/pointer_file
  const auto annex = made("unlocked.nii", "/annex/objects/MD5E-s9--0.nii\n");
  EXPECT_HAS(error_of([&] { read_file(annex); }), "run git annex get " + annex.string());
}

TEST_F(Files, WhatIsNoFileIsNamed) {
  EXPECT_HAS(unread(folder_), "expected a regular file, found a folder");
  EXPECT_HAS(unwritten(folder_), "expected the name of a file to write, found a folder");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_HAS(unread(folder_ / "pipe"), "expected a regular file, found a pipe");
  EXPECT_HAS(unwritten(folder_ / "pipe"), "found a pipe");
  EXPECT_HAS(unread("/dev/null"), "expected a regular file, found a device");
  EXPECT_HAS(unwritten("/dev/null"), "found a device");  // which would be replaced
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, (folder_ / "socket").c_str(), sizeof name.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ::close(fd);
  EXPECT_HAS(unread(folder_ / "socket"), "found a socket");
}

TEST_F(Files, APermissionThatIsMissingIsNamed) {
  const auto file = made("closed");
  fs::permissions(file, fs::perms::none);
  fs::create_directory(folder_ / "locked");
  made("locked/file");
  fs::permissions(folder_ / "locked", fs::perms::none);
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const AsAnother another;
  EXPECT_HAS(unread(file), "closed: cannot read, found no permission (mode 0000, owner ");
  EXPECT_HAS(unread(folder_ / "locked" / "file"), "found no permission to enter the folder " + (folder_ / "locked").string());
  if (::geteuid() == 65534) {
    EXPECT_HAS(unwritten(folder_ / "new"), "found no permission to write in the folder " + folder_.string());
  }
}

TEST_F(Files, OtherCausesHaveWordsOfTheirOwn) {
  EXPECT_HAS(file_problem("x", EROFS), "a read-only file system (Read-only file system): name a place that can be written");
  EXPECT_HAS(file_problem("x", ENOSPC), "no room left (No space left on device): make room");
  EXPECT_HAS(file_problem("x", EMFILE), "ulimit -n");
  EXPECT_EQ(file_problem("x", EDEADLK), std::strerror(EDEADLK));
}

// An access list (acl(5)): owner and mask read, and `more`.
bool set_access(const fs::path& path, std::vector<posix_acl_xattr_entry> more) {
  const auto entry = [](int tag, int permission, std::uint32_t id = 0xffffffff) {
    return posix_acl_xattr_entry{htole16(static_cast<std::uint16_t>(tag)), htole16(static_cast<std::uint16_t>(permission)), htole32(id)};
  };
  std::vector<posix_acl_xattr_entry> all{entry(ACL_USER_OBJ, ACL_READ)};
  const auto add = [&](std::uint16_t tag) {
    bool any = false;
    for (const auto& e : more) {
      if (e.e_tag != tag) continue;
      all.push_back(entry(e.e_tag, e.e_perm, e.e_id));
      any = true;
    }
    return any;
  };
  add(ACL_USER);
  if (!add(ACL_GROUP_OBJ)) all.push_back(entry(ACL_GROUP_OBJ, 0));
  add(ACL_GROUP);
  all.push_back(entry(ACL_MASK, ACL_READ));
  all.push_back(entry(ACL_OTHER, 0));
  const posix_acl_xattr_header header{htole32(POSIX_ACL_XATTR_VERSION)};
  std::string value(reinterpret_cast<const char*>(&header), sizeof header);
  value.append(reinterpret_cast<const char*>(all.data()), all.size() * sizeof all[0]);
  return ::setxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size(), 0) == 0;
}

// What systemd's LoadCredential= makes: root's file, 0400, that one user may read, so that the mode shows 0440.
TEST_F(Files, AKeyThatAnAccessListGivesToThisUserAloneIsTaken) {
  const auto key = made("key", "secret");
  fs::permissions(key, fs::perms::owner_read);
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const std::uint32_t user = ::geteuid() == 0 ? 65534 : ::geteuid();  // AsAnother
  constexpr std::uint32_t nobody = 0xffffffff;
  if (!set_access(key, {{ACL_USER, ACL_READ, user}})) GTEST_SKIP() << "no access lists on this file system";
  struct stat st {};
  ASSERT_EQ(::stat(key.c_str(), &st), 0);
  ASSERT_EQ(st.st_mode & 0777U, 0440U);
  {
    const AsAnother another;
    EXPECT_EQ(as_text(read_private_file(key, 100)), "secret");
  }
  const std::vector<std::vector<posix_acl_xattr_entry>> grants = {
      {{ACL_USER, ACL_READ, user}, {ACL_USER, ACL_READ, 4321}},                      // another user too
      {{ACL_USER, ACL_READ, user}, {ACL_GROUP_OBJ, ACL_READ, nobody}},               // the owner's group
      {{ACL_USER, ACL_READ, user}, {ACL_GROUP_OBJ, 0, nobody}, {ACL_GROUP, ACL_READ, 4321}}};
  for (const auto& grant : grants) {
    ASSERT_TRUE(set_access(key, grant));
    const AsAnother another;
    EXPECT_HAS(error_of([&] { read_private_file(key, 100); }),
               "expected a private key that only its owner can read, found mode 0440: ");
  }
}

TEST_F(Files, AKeyThatOthersMayReadIsRefused) {
  const auto key = made("key", "secret");
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0660U}) {
    ASSERT_EQ(::chmod(key.c_str(), mode), 0);
    EXPECT_HAS(error_of([&] { read_private_file(key, 100); }), "expected a private key that only its owner can read, found mode 0");
  }
  ASSERT_EQ(::chmod(key.c_str(), 0600), 0);
  EXPECT_EQ(as_text(read_private_file(key, 100)), "secret");
}

}  // namespace
}  // namespace smpc
