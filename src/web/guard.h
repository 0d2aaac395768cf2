// Who may come in: whoever has the token, at this address, from this page.
//
// The token keeps out other users and other programs of the machine, and every web site. Host is checked against a
// site whose name is made to point to 127.0.0.1 (DNS rebinding), Origin against requests that another site's page
// makes a browser send (https://owasp.org, cross-site request forgery).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http.h"

namespace smpc::web {

// 32 bytes of the operating system's generator in base64url: 43 characters.
std::string make_token();

class Guard {
 public:
  Guard(std::string token, std::uint16_t port);

  // What is asked for beyond "/TOKEN/"; none where the request has no business here.
  std::optional<std::string> admit(const Request& request) const;

 private:
  bool is_here(const std::vector<std::string>& values, std::string_view before) const;

  std::string token_;
  std::vector<std::string> authorities_;  // "127.0.0.1:PORT", "localhost:PORT"
};

}  // namespace smpc::web
