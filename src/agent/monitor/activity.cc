// Detects user activity in a tunnel's bytes.
#include "agent/monitor/activity.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace swarm::agent {
namespace {
constexpr std::size_t kLongestHead = 64 * 1024;
// VS Code's messages have a 13-byte header, and its keep-alives consist of it alone; permessage-deflate compresses it to 4 to 9 bytes.
constexpr std::uint64_t kKeepAlive = 13;
constexpr std::uint64_t kCompressedKeepAlive = 10;
// Acknowledgements of 12 to 16 compressed bytes are sent at most every 2 s: five per window. A keystroke is one message of 14 bytes.
constexpr int kFewMessages = 8;
constexpr std::uint64_t kFewMessageBytes = 200;
// On a port: ssh's keep-alives are below 100 bytes, a keystroke is about 40.
constexpr std::uint64_t kFewPortBytes = 256;
// In SSH: a keep-alive or its response is a packet of its own, at most once a second; VS Code on the desktop sends one every 5 s on each of
// its two channels, and the acknowledgements of these. A user who types sends several packets a second, and receives their echo.
constexpr std::uint64_t kLonePacket = 128;
constexpr std::chrono::milliseconds kLonePause{800};
constexpr std::uint64_t kFewSshBytes = 512;
constexpr std::chrono::seconds kWindow{10};

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// The size of a frame's header, from its first two bytes.
std::size_t frameHeadSize(std::string_view head) {
  auto length = static_cast<unsigned char>(head[1]) & 0x7fU;
  std::size_t size = 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U);
  return size + ((static_cast<unsigned char>(head[1]) & 0x80U) ? 4 : 0);
}
}  // namespace

bool ActivityDetector::feed(std::string_view bytes, SteadyTime now) {
  switch (mode_) {
    case Mode::Http:
      return feedHttp(bytes, now);
    case Mode::WebSocket:
      return feedFrames(bytes, now);
    case Mode::Port:
      count(bytes.size(), now);
      return window_bytes_ > kFewPortBytes;
    case Mode::Ssh:
      if (!isLonePacket(bytes.size(), now)) count(bytes.size(), now);
      return window_bytes_ > kFewSshBytes;
  }
  return false;
}

bool ActivityDetector::isLonePacket(std::size_t bytes, SteadyTime now) {
  const SteadyTime before = std::exchange(last_packet_, now);
  return bytes <= kLonePacket && now - before >= kLonePause;
}

bool ActivityDetector::feedHttp(std::string_view bytes, SteadyTime now) {
  // Bodies are scanned as if they were heads: only the end of a head that requests a WebSocket matters.
  head_.append(bytes);
  for (;;) {
    auto end = head_.find("\r\n\r\n");
    if (end == std::string::npos) break;
    std::string head = lowered(std::string_view(head_).substr(0, end + 2));
    std::string rest = head_.substr(end + 4);
    if (head.find("\r\nupgrade: websocket\r\n") != std::string::npos) {
      mode_ = Mode::WebSocket;
      head_ = std::string();
      feedFrames(rest, now);
      return true;
    }
    head_ = std::move(rest);
  }
  if (head_.size() > kLongestHead) head_.clear();
  return true;
}

bool ActivityDetector::feedFrames(std::string_view bytes, SteadyTime now) {
  bool person = false;
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      auto skipped = std::min<std::uint64_t>(payload_left_, bytes.size());
      payload_left_ -= skipped;
      bytes.remove_prefix(static_cast<std::size_t>(skipped));
      continue;
    }
    frame_head_.push_back(bytes.front());
    bytes.remove_prefix(1);
    if (frame_head_.size() >= 2 && frame_head_.size() == frameHeadSize(frame_head_)) person |= finishFrameHead(now);
  }
  return person;
}

bool ActivityDetector::finishFrameHead(SteadyTime now) {
  auto opcode = static_cast<unsigned char>(frame_head_[0]) & 0x0fU;
  std::uint64_t length = static_cast<unsigned char>(frame_head_[1]) & 0x7fU;
  std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (extended > 0) length = 0;
  for (std::size_t at = 0; at < extended; ++at) length = (length << 8U) | static_cast<unsigned char>(frame_head_[2 + at]);
  bool control = (opcode & 0x8U) != 0;
  bool compressed = (static_cast<unsigned char>(frame_head_[0]) & 0x40U) != 0;
  frame_head_.clear();
  payload_left_ = length;
  if (control || length <= (compressed ? kCompressedKeepAlive : kKeepAlive)) return false;
  count(length, now);
  return window_messages_ > kFewMessages || window_bytes_ > kFewMessageBytes;
}

void ActivityDetector::count(std::uint64_t bytes, SteadyTime now) {
  if (now - window_start_ > kWindow) {
    window_start_ = now;
    window_bytes_ = 0;
    window_messages_ = 0;
  }
  window_bytes_ += bytes;
  ++window_messages_;
}

}  // namespace swarm::agent
