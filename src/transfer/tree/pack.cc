// Filling packs, sending them within the window, and opening them.
#include "transfer/tree/pack.h"

#include <algorithm>

namespace swarm::transfer {

void CompressionChoice::observe(std::chrono::nanoseconds waited, std::chrono::nanoseconds elapsed) {
  const double share = elapsed.count() > 0 ? static_cast<double>(waited.count()) / static_cast<double>(elapsed.count()) : 0;
  pressure_ = 0.7 * pressure_ + 0.3 * std::min(share, 1.0);
  if (pressure_ > 0.5) level_ = std::min(level_ + 1, 3);
  if (pressure_ < 0.1) level_ = std::max(level_ - 1, 0);
}

int CompressionChoice::level() {
  if (level_ == 0) return 0;
  if (skip_ > 0) {
    --skip_;
    return 0;
  }
  return level_;
}

void CompressionChoice::result(std::size_t raw, std::size_t compressed) {
  if (compressed < raw - raw / 16) {
    patience_ = 0;
  } else {
    patience_ = std::clamp(patience_ * 2, 4, 32);
    skip_ = patience_;
  }
}

PackSender::PackSender(SessionState& session)
    : session_(session), raw_(session.buffers.take(kMaxPackRaw)), waited_(session.outbox.waited()) {}

char* PackSender::room(std::size_t length) {
  if (used_ + length > kMaxPackRaw) flush();
  return raw_.data() + used_;
}

void PackSender::add(Segment segment, std::int64_t bytes) {
  if (segment.kind == SegmentKind::Data) used_ += static_cast<std::size_t>(segment.length);
  if (segment.kind == SegmentKind::End || segment.kind == SegmentKind::Gone) {
    ++current_.files;
    current_.bytes += bytes;
  }
  segments_.push_back(segment);
  if (segments_.size() >= kMaxPackSegments) flush();
}

std::string PackSender::compress(int level) {
  if (!context_) context_.reset(::ZSTD_createCCtx());
  std::string out(::ZSTD_compressBound(used_), '\0');
  const std::size_t size = ::ZSTD_compressCCtx(context_.get(), out.data(), out.size(), raw_.data(), used_, level);
  out.resize(::ZSTD_isError(size) ? used_ : std::min(size, used_));
  choice_.result(used_, out.size());
  return out;
}

void PackSender::flush() {
  if (segments_.empty()) return;
  takeAcks();
  while (in_flight_.size() >= kPacksInFlight) takeAck();
  const auto now = std::chrono::steady_clock::now();
  const auto waited = session_.outbox.waited();
  choice_.observe(waited - waited_, now - flushed_);
  waited_ = waited;
  flushed_ = now;

  PackHead head;
  head.sequence = current_.sequence;
  head.rawLength = used_;
  head.hash = hashBytes({raw_.data(), used_});
  head.segments = std::move(segments_);
  Frame frame{Kind::Pack, {}, {}};
  constexpr std::size_t kWorthIt = 512;
  if (const int level = used_ >= kWorthIt ? choice_.level() : 0; level > 0) {
    frame.body = compress(level);
    head.compressed = frame.body.size() < used_ - used_ / 16;
  }
  if (!head.compressed && used_ >= kMaxPackRaw / 4) {
    raw_.resize(used_);
    frame.body = std::exchange(raw_, session_.buffers.take(kMaxPackRaw));
  } else if (!head.compressed) {
    frame.body.assign(raw_.data(), used_);
  }
  frame.payload = encode(head);
  session_.outbox.push(std::move(frame));
  in_flight_.push_back(current_);
  current_ = {current_.sequence + 1, 0, 0};
  segments_.clear();
  used_ = 0;
}

void PackSender::takeAck() {
  const std::uint64_t sequence = decodeAck(session_.inbox.take(Inbox::Acks).payload);
  if (in_flight_.empty() || sequence != in_flight_.front().sequence) brokenPeer("an unexpected acknowledgement");
  session_.counters.files += in_flight_.front().files;
  session_.counters.bytes += in_flight_.front().bytes;
  in_flight_.pop_front();
}

void PackSender::takeAcks() {
  for (;;) {
    bool more = false;
    session_.inbox.wait([&] {
      more = session_.inbox.has(Inbox::Acks);
      return true;
    });
    if (!more) return;
    takeAck();
  }
}

void PackSender::finish() {
  flush();
  while (!in_flight_.empty()) takeAck();
}

std::string_view unpack(const PackHead& head, std::string_view body, std::string& buffer) {
  std::string_view raw = body;
  if (head.compressed) {
    buffer.resize(kMaxPackRaw);
    // The room bounds the output, whatever size the compressed data claims.
    const std::size_t size = ::ZSTD_decompress(buffer.data(), head.rawLength, body.data(), body.size());
    if (::ZSTD_isError(size) || size != head.rawLength) brokenPeer("a pack that cannot be decompressed");
    raw = std::string_view(buffer).substr(0, size);
  }
  if (hashBytes(raw) != head.hash) brokenPeer("received content does not match its hash");
  return raw;
}

}  // namespace swarm::transfer
