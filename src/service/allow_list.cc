#include "smpc/service/allow_list.h"

#include <sstream>

#include "smpc/base/error.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

constexpr std::size_t longest_list = std::size_t{1} << 24;

std::string trimmed(const std::string& line) {
  const std::string content = line.substr(0, line.find('#'));
  const auto first = content.find_first_not_of(" \t\r");
  if (first == content.npos) return {};
  return content.substr(first, content.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

AllowList::AllowList(std::filesystem::path file, Role role) : file_(std::move(file)), role_(role), names_(read()) {}

AllowList::Names AllowList::read() const {
  Names names;
  if (file_.empty()) return names;
  std::istringstream in{std::string(as_text(read_file(file_, longest_list)))};
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const std::string uri = trimmed(line);
    if (uri.empty()) continue;
    const std::string where = file_.string() + ", line " + std::to_string(number) + ": ";
    PeerName peer;
    try {
      peer = parse_peer_name(uri);
    } catch (const Error& e) {
      fail_input(where + e.what());
    }
    if (peer.role != role_) fail_input(where + "expected urn:smpc:" + std::string(role_name(role_)) + ":NAME, found " + uri);
    names.insert(peer.uri());
  }
  return names;
}

void AllowList::reload() {
  Names names = read();
  const std::scoped_lock guard(mutex_);
  names_ = std::move(names);
}

std::string AllowList::turn_away(const PeerName& peer) const {
  if (peer.role != role_ || has(peer.uri())) return {};
  return "expected a " + std::string(role_name(role_)) + " on the allow-list, found " + peer.uri() + ": ask the operator to add it";
}

bool AllowList::has(const std::string& uri) const {
  if (file_.empty()) return true;
  const std::scoped_lock guard(mutex_);
  return names_.contains(uri);
}

std::string AllowList::text() const {
  const std::string role(role_name(role_));
  if (file_.empty()) return "no allow-list: every " + role + " of the certificate authority may come in";
  const std::scoped_lock guard(mutex_);
  return std::to_string(names_.size()) + " " + role + (names_.size() == 1 ? "" : "s") + " on the allow-list " + file_.string();
}

}  // namespace smpc
