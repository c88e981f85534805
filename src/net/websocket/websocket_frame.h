// Internal: WebSocket frames (RFC 6455 §5) as bytes.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::net {

enum class Opcode : std::uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

struct FrameHeader {
  Opcode opcode = Opcode::Binary;
  bool final = true;
  bool masked = false;
  std::uint64_t length = 0;
  std::array<unsigned char, 4> mask{};
  std::size_t headerBytes = 0;
};

/// The header at the front of `data`: empty while it is incomplete, an error text when it violates the protocol.
std::expected<std::optional<FrameHeader>, std::string_view> parseFrameHeader(std::string_view data);

/// The bytes of `header` (headerBytes is ignored).
std::string formatFrameHeader(const FrameHeader& header);

/// Masks or unmasks `bytes` in place; `offset` is the position of its first byte in the payload.
void applyMask(char* bytes, std::size_t count, const std::array<unsigned char, 4>& mask, std::size_t offset = 0);

bool isCloseCode(unsigned code);  ///< whether `code` is allowed in a Close frame

}  // namespace swarm::net
