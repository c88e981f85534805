// Frames, numbers and strings.
#include "transfer/wire/wire.h"

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::transfer {

void brokenPeer(std::string_view what) {
  throw Error(ErrorCode::UpstreamFailed, format("The peer of the transfer violated the protocol: {}.", what));
}

FrameHeader parseHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) brokenPeer("a frame's header is truncated");
  FrameHeader header;
  header.kind = static_cast<std::uint8_t>(bytes[0]);
  for (int at = 4; at >= 1; --at) header.length = header.length << 8 | static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(at)]);
  if (header.length > kMaxPayload) brokenPeer("a frame is too long");
  const bool known = (header.kind >= 0x01 && header.kind <= 0x06) || (header.kind >= 0x80 && header.kind <= 0x87) ||
                     (header.kind >= 0x90 && header.kind <= 0x93);
  if (!known) brokenPeer("a frame of an unknown kind");
  return header;
}

std::string headerOf(const Frame& frame) {
  std::string header(1, static_cast<char>(frame.kind));
  for (std::size_t length = frame.size(), at = 0; at < 4; ++at, length >>= 8) header += static_cast<char>(length & 0xff);
  return header;
}

Encoder& Encoder::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
  out_ += static_cast<char>(value);
  return *this;
}

Encoder& Encoder::signedNumber(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return number(value < 0 ? ~(bits << 1) : bits << 1);
}

Encoder& Encoder::bytes(std::string_view value) { return number(value.size()).raw(value); }

Encoder& Encoder::raw(std::string_view value) {
  out_ += value;
  return *this;
}

Encoder& Encoder::fixed(std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(value >> shift);
  return *this;
}

std::uint64_t Decoder::number(std::uint64_t maximum) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    if (in_.empty()) brokenPeer("a number is truncated");
    const auto byte = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    if (shift == 63 && byte > 1) brokenPeer("a number is too large");
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (value > maximum) brokenPeer("a number is too large");
  return value;
}

std::int64_t Decoder::signedNumber() {
  const std::uint64_t bits = number();
  return static_cast<std::int64_t>(bits & 1 ? ~(bits >> 1) : bits >> 1);
}

std::uint64_t Decoder::fixed() {
  std::uint64_t value = 0;
  int shift = 0;
  for (const char byte : raw(8)) value |= std::uint64_t{static_cast<std::uint8_t>(byte)} << std::exchange(shift, shift + 8);
  return value;
}

std::int64_t Decoder::size() { return static_cast<std::int64_t>(number(INT64_MAX)); }

std::string_view Decoder::bytes(std::size_t maximum) { return raw(number(maximum)); }

std::string_view Decoder::raw(std::size_t length) {
  if (length > in_.size()) brokenPeer("a string is truncated");
  const std::string_view value = in_.substr(0, length);
  in_.remove_prefix(length);
  return value;
}

std::size_t Decoder::count(std::size_t min_bytes) { return number(in_.size() / min_bytes); }

void Decoder::end() const {
  if (!in_.empty()) brokenPeer("a frame has bytes after its end");
}

}  // namespace swarm::transfer
