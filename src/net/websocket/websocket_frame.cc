// Parsing and writing of frame headers, masks.
#include "net/websocket/websocket_frame.h"

namespace swarm::net {
namespace {

std::uint64_t readBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void appendBigEndian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

}  // namespace

std::expected<std::optional<FrameHeader>, std::string_view> parseFrameHeader(std::string_view data) {
  if (data.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(data[0]);
  const auto second = static_cast<unsigned char>(data[1]);
  FrameHeader header;
  header.final = (first & 0x80) != 0;
  header.opcode = static_cast<Opcode>(first & 0x0f);
  header.masked = (second & 0x80) != 0;
  header.length = second & 0x7f;
  if ((first & 0x70) != 0) return std::unexpected("reserved bits are set");
  const bool control = (first & 0x08) != 0;
  if ((first & 0x0f) > (control ? 10 : 2)) return std::unexpected("the opcode is unknown");
  if (control && (!header.final || header.length > 125)) return std::unexpected("a control frame is fragmented or too long");
  const std::size_t length_bytes = header.length == 127 ? 8 : header.length == 126 ? 2 : 0;
  header.headerBytes = 2 + length_bytes + (header.masked ? 4 : 0);
  if (data.size() < header.headerBytes) return std::nullopt;
  if (length_bytes > 0) {
    header.length = readBigEndian(data.substr(2, length_bytes));
    const std::uint64_t minimum = length_bytes == 2 ? 126 : 65536;
    if (header.length < minimum || header.length >> 63 != 0) return std::unexpected("a frame's length is malformed");
  }
  if (header.masked) {
    for (std::size_t i = 0; i < 4; ++i) header.mask[i] = static_cast<unsigned char>(data[2 + length_bytes + i]);
  }
  return header;
}

std::string formatFrameHeader(const FrameHeader& header) {
  std::string out;
  const unsigned mask_bit = header.masked ? 0x80 : 0;
  out += static_cast<char>((header.final ? 0x80 : 0) | static_cast<unsigned>(header.opcode));
  if (header.length < 126) {
    out += static_cast<char>(mask_bit | static_cast<unsigned>(header.length));
  } else if (header.length < 65536) {
    out += static_cast<char>(mask_bit | 126);
    appendBigEndian(out, header.length, 2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    appendBigEndian(out, header.length, 8);
  }
  if (header.masked) out.append(header.mask.begin(), header.mask.end());
  return out;
}

void applyMask(char* bytes, std::size_t count, const std::array<unsigned char, 4>& mask, std::size_t offset) {
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ mask[(offset + i) & 3]);
}

bool isCloseCode(unsigned code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code < 5000);
}

}  // namespace swarm::net
