// Queues with flow-control windows.
#include "transfer/wire/channel.h"

#include <boost/asio/post.hpp>

#include "transfer/wire/messages.h"

namespace swarm::transfer {
namespace {

constexpr std::size_t kOutboxBytes = 3 * 1024 * 1024;
constexpr std::size_t kTakeBytes = 2 * 1024 * 1024;
constexpr std::size_t kPooled = 8;
constexpr std::size_t kPooledBytes = 256 * 1024;
constexpr std::size_t kTakeFrames = 5;  // three buffers each, in one call of writeAll()

struct Window {
  std::size_t frames;
  std::size_t bytes;
};

/// Reserves room for the one frame that may exceed a window.
constexpr std::array<Window, Inbox::kLanes> kWindows{{
    {4, kMaxPayload},
    {kListingWindowCount + 2, kListingWindowBytes + kMaxPayload},
    {kPackWindow, kPackWindow* kMaxPayload},
    {2 * kListingWindowCount + kSignatureWindowBytes / 1024, 2 * kSignatureWindowBytes + 32 * kMaxSignature + kListingWindowBytes},
    {kPackWindow, kMaxPayload},
}};

Inbox::Lane laneOf(Kind kind) {
  switch (kind) {
    case Kind::Listing:
    case Kind::RoundEnd:
      return Inbox::Listings;
    case Kind::Pack:
      return Inbox::Packs;
    case Kind::Wants:
    case Kind::WantsRuns:
      return Inbox::Wanted;
    case Kind::Ack:
      return Inbox::Acks;
    default:
      return Inbox::Commands;
  }
}

}  // namespace

std::string BufferPool::take(std::size_t length) {
  std::string buffer;
  if (length >= kPooledBytes) {
    const std::lock_guard lock(mutex_);
    if (!buffers_.empty()) {
      buffer = std::move(buffers_.back());
      buffers_.pop_back();
    }
  }
  // The buffer is not zeroed first.
  buffer.resize(length);
  return buffer;
}

void BufferPool::give(std::string buffer) {
  if (buffer.capacity() < kPooledBytes) return;
  const std::lock_guard lock(mutex_);
  if (buffers_.size() < kPooled) buffers_.push_back(std::move(buffer));
}

void LoopWake::signal() {
  const std::lock_guard lock(mutex_);
  if (!armed_ || posted_) return;
  posted_ = true;
  boost::asio::post(executor_, [self = shared_from_this()] {
    const std::lock_guard inner(self->mutex_);
    self->posted_ = false;
    self->timer.cancel();
  });
}

void LoopWake::disarm() {
  const std::lock_guard lock(mutex_);
  armed_ = false;
}

void Inbox::push(Arrived frame) {
  const Lane lane = laneOf(frame.kind);
  const std::lock_guard lock(mutex_);
  Queue& queue = lanes_[lane];
  queue.bytes += frame.payload.size();
  queue.frames.push_back(std::move(frame));
  if (queue.frames.size() > kWindows[lane].frames || queue.bytes > kWindows[lane].bytes) brokenPeer("it sent more than was requested");
  changed_.notify_all();
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void Inbox::nudge() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

Arrived Inbox::take(Lane lane) {
  std::unique_lock lock(mutex_);
  Queue& queue = lanes_[lane];
  changed_.wait(lock, [&] { return closed_ || !queue.frames.empty(); });
  if (closed_) throw Stopped{};
  Arrived frame = std::move(queue.frames.front());
  queue.frames.pop_front();
  queue.bytes -= frame.payload.size();
  return frame;
}

void Outbox::push(Frame frame) {
  {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return refused_ || frames_.empty() || bytes_ + frame.size() <= kOutboxBytes; };
    if (!ready()) {
      const auto begin = std::chrono::steady_clock::now();
      changed_.wait(lock, ready);
      waited_ += std::chrono::steady_clock::now() - begin;
    }
    if (refused_) throw Stopped{};
    bytes_ += frame.size();
    frames_.push_back(std::move(frame));
  }
  wake_->signal();
}

void Outbox::pushLast(Frame frame) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ += frame.size();
    frames_.push_back(std::move(frame));
    last_ = true;
    refused_ = true;
  }
  wake_->signal();
}

void Outbox::refuse() {
  const std::lock_guard lock(mutex_);
  refused_ = true;
  changed_.notify_all();
}

std::vector<Frame> Outbox::take() {
  std::vector<Frame> taken;
  const std::lock_guard lock(mutex_);
  for (std::size_t bytes = 0; !frames_.empty() && taken.size() < kTakeFrames && bytes < kTakeBytes;) {
    bytes += frames_.front().size();
    taken.push_back(std::move(frames_.front()));
    frames_.pop_front();
  }
  for (const Frame& frame : taken) bytes_ -= frame.size();
  if (!taken.empty()) changed_.notify_all();
  return taken;
}

bool Outbox::finished() const {
  const std::lock_guard lock(mutex_);
  return last_ && frames_.empty();
}

std::chrono::nanoseconds Outbox::waited() const {
  const std::lock_guard lock(mutex_);
  return waited_;
}

}  // namespace swarm::transfer
