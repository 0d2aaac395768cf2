#include "client_link.h"

namespace smpc {

std::shared_ptr<Channel> ClientLink::use(std::shared_ptr<Channel> channel) {
  const std::lock_guard guard(cutting_);
  if (cancelled_.load()) throw Cancelled();
  return channel_ = std::move(channel);
}

void ClientLink::end() {
  closed_ = closed_ + channel_->traffic();
  channel_->close();
  const std::lock_guard guard(cutting_);
  channel_.reset();
}

void ClientLink::abandon() noexcept {
  const std::lock_guard guard(cutting_);
  if (!channel_) return;
  closed_ = closed_ + channel_->traffic();
  channel_.reset();
}

void ClientLink::cancel() noexcept {
  const std::lock_guard guard(cutting_);
  cancelled_ = true;
  if (channel_) channel_->cut();
}

ClientProgress ClientLink::progress(ClientProgress p) {
  if (cancelled_.load()) throw Cancelled();
  const Traffic now = channel_ ? closed_ + channel_->traffic() : closed_;
  if (phase_ != p.phase) {
    phase_ = p.phase;
    since_ = Clock::now();
    before_ = now;
  }
  // Masking sends nothing; the request that travels meanwhile is no part of it.
  if (p.phase == ClientPhase::masking) before_ = now;
  p.sent = now.sent_bytes - before_.sent_bytes;
  p.received = now.received_bytes - before_.received_bytes;
  p.seconds = std::chrono::duration<double>(Clock::now() - since_).count();
  return p;
}

}  // namespace smpc
