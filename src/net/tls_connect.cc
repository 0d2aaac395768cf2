#include "smpc/net/address.h"
#include "smpc/net/tls.h"
#include "tls_channel.h"
#include "tls_context.h"

namespace smpc {

std::unique_ptr<Channel> tls_connect(const std::string& host_port, const Identity& identity, Role expected_role,
                                     Deadline deadline, const std::string& named) {
  const HostPort where = parse_host_port(host_port);
  auto channel =
      std::make_unique<TlsChannel>(make_tls_context(identity, TlsSide::client), TlsSide::client, where.text());
  channel->set_deadline(deadline);
  channel->connect(resolve(where, deadline));
  channel->handshake(named.empty() ? where.host : named, expected_role);
  return channel;
}

}  // namespace smpc
