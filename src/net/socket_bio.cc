#include "socket_bio.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "smpc/base/error.h"

namespace smpc {
namespace {

int socket_of(BIO* bio) { return *static_cast<const int*>(BIO_get_data(bio)); }

bool again(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int send_some(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && again(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int receive_some(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto n = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), 0);
  if (n < 0 && again(errno)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
}

int destroy(BIO* bio) {
  const std::unique_ptr<int> socket(static_cast<int*>(BIO_get_data(bio)));
  BIO_set_data(bio, nullptr);
  return 1;
}

const BIO_METHOD* method() {
  static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
    SMPC_CHECK(m != nullptr && BIO_meth_set_write(m, send_some) == 1 && BIO_meth_set_read(m, receive_some) == 1 &&
               BIO_meth_set_ctrl(m, control) == 1 && BIO_meth_set_destroy(m, destroy) == 1);
    return std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>(m, &BIO_meth_free);
  }();
  return made.get();
}

}  // namespace

BIO* new_socket_bio(int socket) {
  BIO* bio = BIO_new(method());
  SMPC_CHECK(bio != nullptr);
  BIO_set_data(bio, std::make_unique<int>(socket).release());
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace smpc
