#include "wire.h"

#include <algorithm>
#include <cctype>

namespace smpc {

std::string rule_of(control::Code code) {
  std::string name = control::Code_Name(code);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.empty() ? "unknown" : name;  // a later version's
}

void refuse(Channel& channel, control::Code code, const std::string& text) {
  control::Reply reply;
  reply.mutable_refusal()->set_code(code);
  reply.mutable_refusal()->set_text(text);
  send_control(channel, reply);
}

void send_ready(Channel& channel, std::uint32_t count) {
  control::Reply reply;
  reply.mutable_ready()->set_count(count);
  send_control(channel, reply);
}

control::Ready expect_ready(Channel& channel, const std::string& who, ErrorKind refusal_kind) {
  return expect_ready(channel, who, refusal_kind, [](std::uint32_t, std::uint32_t) {});
}

std::string version_mismatch(std::uint32_t theirs, const std::string& whom) {
  return "expected protocol version " + std::to_string(protocol_version) + ", found " + std::to_string(theirs) +
         "; update " + whom;
}

}  // namespace smpc
