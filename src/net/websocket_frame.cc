// Parsing and writing of frame headers, masks, UTF-8.
#include "net/websocket_frame.h"

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

// Length of the UTF-8 sequence that `lead` begins, with the bounds of its second byte; 0 when nothing begins so.
struct Sequence {
  int length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

Sequence sequenceOf(unsigned char lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return {2};
  if (lead == 0xe0) return {3, 0xa0};
  if (lead == 0xed) return {3, 0x80, 0x9f};  // no surrogates
  if (lead >= 0xe1 && lead <= 0xef) return {3};
  if (lead == 0xf0) return {4, 0x90};
  if (lead >= 0xf1 && lead <= 0xf3) return {4};
  if (lead == 0xf4) return {4, 0x80, 0x8f};  // up to U+10FFFF
  return {};
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
    const std::uint64_t least = length_bytes == 2 ? 126 : 65536;
    if (header.length < least || header.length >> 63 != 0) return std::unexpected("a frame's length is malformed");
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

bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const Sequence sequence = sequenceOf(lead);
    if (sequence.length == 0 || text.size() - i < static_cast<std::size_t>(sequence.length)) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if (second < sequence.low || second > sequence.high) return false;
    for (int k = 2; k < sequence.length; ++k) {
      if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xc0) != 0x80) return false;
    }
    i += static_cast<std::size_t>(sequence.length);
  }
  return true;
}

bool isCloseCode(unsigned code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code < 5000);
}

}  // namespace swarm::net
