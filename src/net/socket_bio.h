// A connected, non-blocking socket as OpenSSL reads and writes it. OpenSSL's own uses write(), and so raises SIGPIPE
// where the other side has gone; this one does not.
#pragma once

#include <openssl/bio.h>

namespace smpc {

// Does not own the socket.
BIO* new_socket_bio(int socket);

}  // namespace smpc
