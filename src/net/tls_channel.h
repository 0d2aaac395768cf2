// One TLS connection on a non-blocking socket of its own: every wait is for the socket, the deadline or cut().
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "resolve.h"
#include "smpc/net/channel.h"
#include "smpc/net/identity.h"
#include "tls_words.h"

namespace smpc {

// How long a refusal waits for the other side to have read it.
constexpr std::chrono::milliseconds linger_time{250};

class TlsChannel final : public Channel {
 public:
  // `remote` names the other end in messages until its certificate does.
  TlsChannel(const std::shared_ptr<SSL_CTX>& context, TlsSide side, std::string remote);
  ~TlsChannel() override;

  // Tries each address in turn. Throws NobodyListens.
  void connect(const std::vector<SocketAddress>& addresses);
  // Takes a connected, non-blocking socket over.
  void adopt(int socket);
  // Both sides' certificates are judged here, this side's only if it accepts. `host`: for the connecting side, the name
  // or address that the other side's certificate must be valid for. `role`: what it must be. Throws Refused for a
  // certificate.
  void handshake(const std::string& host = {}, std::optional<Role> role = {});
  const PeerName& peer() const noexcept;

  // Discards what comes until the other side has closed, so that what was sent last is not lost to a reset.
  void linger(std::chrono::milliseconds longest) noexcept;
  // Closes without a goodbye: the other side sees the connection break off.
  void abandon() noexcept;

  void set_deadline(Deadline deadline) override;
  void close() noexcept override;
  void cut() noexcept override;
  const std::string& peer_identity() const noexcept override;

 protected:
  void write(ByteView header, ByteView payload) override;
  void read(std::span<std::byte> out) override;
  void close_after_refusal() noexcept override;

 private:
  void goodbye() noexcept;
  struct Outcome;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
