// Two ends in one process that keep every frame that passes, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "smpc/net/channel.h"

namespace smpc::testing {

struct RecordedFrame {
  bool from_first = false;
  Bytes header;  // type and length, as on the wire
  Bytes payload;
};

// What a frame shows to whoever counts bytes.
struct Shape {
  bool from_first = false;
  Bytes header;
  friend bool operator==(const Shape&, const Shape&) = default;
};

class Record {
 public:
  std::vector<RecordedFrame> frames() const {
    const std::scoped_lock lock(mutex_);
    return frames_;
  }
  std::vector<Shape> shapes() const {
    std::vector<Shape> out;
    for (const RecordedFrame& f : frames()) out.push_back({f.from_first, f.header});
    return out;
  }

 private:
  friend class RecordingChannel;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<RecordedFrame> frames_;
  std::deque<std::byte> waiting_[2];  // for the second, for the first
};

class RecordingChannel final : public Channel {
 public:
  RecordingChannel(std::shared_ptr<Record> record, bool first) : record_(std::move(record)), first_(first) {}
  void set_deadline(Deadline) override {}
  void close() noexcept override {}
  void cut() noexcept override {}
  const std::string& peer_identity() const noexcept override { return peer_; }

 protected:
  void write(ByteView header, ByteView payload) override {
    const std::scoped_lock lock(record_->mutex_);
    record_->frames_.push_back({first_, Bytes(header.begin(), header.end()), Bytes(payload.begin(), payload.end())});
    auto& to = record_->waiting_[first_ ? 0 : 1];
    to.insert(to.end(), header.begin(), header.end());
    to.insert(to.end(), payload.begin(), payload.end());
    record_->arrived_.notify_all();
  }
  void read(std::span<std::byte> out) override {
    std::unique_lock lock(record_->mutex_);
    auto& from = record_->waiting_[first_ ? 1 : 0];
    record_->arrived_.wait(lock, [&] { return from.size() >= out.size(); });
    std::copy_n(from.begin(), out.size(), out.begin());
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(out.size()));
  }

 private:
  std::shared_ptr<Record> record_;
  bool first_;
  std::string peer_ = "urn:smpc:client:peer";
};

}  // namespace smpc::testing
