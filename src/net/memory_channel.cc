#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "smpc/net/channel.h"

namespace smpc {
namespace {

// What one end has sent and the other has not yet read.
struct Pipe {
  std::deque<Bytes> chunks;
  std::size_t read_of_first = 0;
  bool goodbye = false;  // the writer closed
  bool broken = false;   // the writer went without a word
};

struct Link {
  std::mutex mutex;
  std::condition_variable changed;
  Pipe pipes[2];
};

class MemoryChannel final : public Channel {
 public:
  MemoryChannel(std::shared_ptr<Link> link, int end, std::string peer)
      : link_(std::move(link)), out_(link_->pipes[end]), in_(link_->pipes[1 - end]), peer_(std::move(peer)) {}
  ~MemoryChannel() override { end(&Pipe::broken); }

  void set_deadline(Deadline deadline) override { deadline_ = deadline; }
  void close() noexcept override { end(&Pipe::goodbye); }
  void cut() noexcept override {
    const std::lock_guard lock(link_->mutex);
    out_.broken = in_.broken = true;
    link_->changed.notify_all();
  }
  const std::string& peer_identity() const noexcept override { return peer_; }

 protected:
  void write(ByteView header, ByteView payload) override {
    check_open();
    if (Clock::now() >= deadline_) {
      fail_peer(peer_ + ": expected to send before the deadline, found that it has passed");
    }
    const std::lock_guard lock(link_->mutex);
    if (in_.goodbye || in_.broken)
      fail_peer(peer_ + ": expected it to receive, found that it has closed the connection");
    for (const ByteView part : {header, payload}) {
      if (!part.empty()) out_.chunks.emplace_back(part.begin(), part.end());
    }
    link_->changed.notify_all();
  }

  void read(std::span<std::byte> out) override {
    check_open();
    std::unique_lock lock(link_->mutex);
    while (!out.empty()) {
      const auto ready = [&] { return !in_.chunks.empty() || in_.goodbye || in_.broken; };
      if (!link_->changed.wait_until(lock, deadline_, ready)) {
        fail_peer(peer_ + ": expected its next frame before the deadline, found it missing or unfinished");
      }
      if (in_.chunks.empty()) fail_ended();
      const Bytes& first = in_.chunks.front();
      const auto part = ByteView(first).subspan(in_.read_of_first);
      const std::size_t count = std::min(part.size(), out.size());
      std::copy_n(part.begin(), count, out.begin());
      out = out.subspan(count);
      in_.read_of_first += count;
      if (in_.read_of_first == first.size()) {
        in_.chunks.pop_front();
        in_.read_of_first = 0;
      }
    }
  }

 private:
  void check_open() const {
    if (closed_) fail_peer(peer_ + ": expected an open connection, found that this side has closed it");
  }
  [[noreturn]] void fail_ended() const {
    fail_peer(peer_ + (in_.goodbye ? ": expected a frame, found that the other side has ended the session"
                                   : ": expected a frame, found the connection cut without a goodbye (close_notify)"));
  }
  void end(bool Pipe::*how) noexcept {
    if (closed_) return;
    closed_ = true;
    const std::lock_guard lock(link_->mutex);
    out_.*how = true;
    link_->changed.notify_all();
  }

  std::shared_ptr<Link> link_;
  Pipe& out_;
  Pipe& in_;
  std::string peer_;
  Deadline deadline_ = Deadline::max();
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> memory_channels(std::string first_identity,
                                                                              std::string second_identity) {
  const auto link = std::make_shared<Link>();
  return {std::make_unique<MemoryChannel>(link, 0, std::move(second_identity)),
          std::make_unique<MemoryChannel>(link, 1, std::move(first_identity))};
}

}  // namespace smpc
