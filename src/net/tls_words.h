// What TLS says, in plain words.
#pragma once

#include <string>

namespace smpc {

enum class TlsSide { client, server };  // the one that connects, the one that accepts

// The reason in an error of OpenSSL (its packed code): an alert that the peer sent, or what this side found.
// `refusal` says whether the peer's alert means that it does not accept this side's certificate.
struct TlsReason {
  std::string words;  // goes after "found "
  bool refusal = false;
};
TlsReason tls_reason(unsigned long packed);

}  // namespace smpc
