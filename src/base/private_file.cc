#include "smpc/base/private_file.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "open_file.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// Whether anybody but owner, this process's user and root may use it. Of a file with an access list the mode's middle digit
// is the list's mask, an upper limit of what the list grants (acl(5)).
bool open_to_others(const OpenFile& file) {
  if ((file.status.st_mode & 077) == 0) return false;
  if ((file.status.st_mode & 07) != 0) return true;
  std::array<std::byte, 1024> list;
  const ssize_t size = ::fgetxattr(file.fd.get(), "system.posix_acl_access", list.data(), list.size());
  posix_acl_xattr_header header{};
  if (size < static_cast<ssize_t>(sizeof header)) return true;  // none, or too long to be this
  std::memcpy(&header, list.data(), sizeof header);
  if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION) return true;
  for (std::size_t at = sizeof header; at + sizeof(posix_acl_xattr_entry) <= static_cast<std::size_t>(size);) {
    posix_acl_xattr_entry entry{};
    std::memcpy(&entry, list.data() + at, sizeof entry);
    at += sizeof entry;
    if (le16toh(entry.e_perm) == 0) continue;
    switch (le16toh(entry.e_tag)) {
      case ACL_USER_OBJ:
      case ACL_MASK: break;
      case ACL_USER:
        if (const uid_t user = le32toh(entry.e_id); user != 0 && user != ::geteuid() && user != file.status.st_uid) return true;
        break;
      default: return true;
    }
  }
  return false;
}

}  // namespace

Bytes read_private_file(const std::filesystem::path& path, std::size_t longest) {
  const OpenFile file(path);
  if (open_to_others(file)) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.status.st_mode) & 07777U);
    const bool own = ::geteuid() == 0 || ::geteuid() == file.status.st_uid;
    fail_input(path.string() + ": expected a private key that only its owner can read, found mode " + mode + ": " +
               (own ? "run chmod 600 " + path.string()
                    : "have its owner run chmod 400 and then setfacl -m u:" + std::to_string(::geteuid()) + ":r on it"));
  }
  return read_all(file, path, longest);
}

}  // namespace smpc
