#include "smpc/net/address.h"
#include "smpc/net/tls.h"
#include "tls_channel.h"
#include "tls_context.h"

namespace smpc {

std::unique_ptr<Channel> tls_connect(const std::string& host_port, const Identity& identity, Role expected_role,
                                     Deadline deadline) {
  const HostPort where = parse_host_port(host_port);
  auto channel =
      std::make_unique<TlsChannel>(make_tls_context(identity, TlsSide::client), TlsSide::client, where.text());
  channel->set_deadline(deadline);
  channel->connect(resolve(where, deadline));
  channel->handshake(where.host);
  if (channel->peer().role != expected_role) {
    const std::string found = channel->peer_identity();
    channel->close();
    throw Refused(where.text() + ": expected a " + std::string(role_name(expected_role)) + ", found " + found +
                  ": is this the right address?");
  }
  return channel;
}

}  // namespace smpc
