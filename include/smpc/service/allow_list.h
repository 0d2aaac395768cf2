// Which clients, or servers, may come in: a file of identities, one a line, that is read again when the operator says so.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>

#include "smpc/base/error.h"
#include "smpc/net/identity.h"

namespace smpc {

// From any thread.
class AllowList {
 public:
  // Of peers of one role. No file: every one of the CA may come in. A line is urn:smpc:ROLE:NAME; what follows a # is ignored.
  // Throws bad_input, naming the line, for anything else.
  explicit AllowList(std::filesystem::path file, Role role = Role::client);

  // Takes effect from a client's next connection. What throws leaves the list as it was.
  void reload();

  // Why this peer may not come in, or nothing. Peers of other roles are not this list's.
  std::string turn_away(const PeerName& peer) const;
  bool has(const std::string& uri) const;  // whether it may come in
  // "3 clients on the allow-list FILE", or that there is none.
  std::string text() const;

 private:
  using Names = std::set<std::string>;
  Names read() const;
  const std::filesystem::path file_;
  const Role role_;
  mutable std::mutex mutex_;
  Names names_;
};

// For a daemon's log: what reading it again came to. An error keeps the list of before.
template <class Log>
void reload_and_say(AllowList& list, const Log& log) {
  try {
    list.reload();
    log(list.text());
  } catch (const Error& e) {
    log(std::string("the allow-list stays as it was: ") + e.what());
  }
}

}  // namespace smpc
