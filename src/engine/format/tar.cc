// ustar headers (POSIX 1003.1-1988): 512-byte blocks, octal numbers, a checksum over the header.
#include "engine/format/tar.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/diagnostics/check.h"

namespace swarm::engine {
namespace {

constexpr std::size_t kBlock = 512;

struct Header {
  std::array<char, kBlock> bytes{};
  void text(std::size_t at, std::string_view value) { std::ranges::copy(value, bytes.begin() + static_cast<std::ptrdiff_t>(at)); }
  void octal(std::size_t at, std::size_t width, std::uint64_t value) {
    std::snprintf(bytes.data() + at, width, "%0*llo", static_cast<int>(width - 1), static_cast<unsigned long long>(value));
  }
};

}  // namespace

void TarWriter::addHeader(std::string_view name, unsigned mode, std::uint64_t size, char type, std::string_view link) {
  SWARM_CHECK(name.size() <= 100 && link.size() <= 100);
  Header header;
  header.text(0, name);
  header.octal(100, 8, mode);
  header.octal(108, 8, 0);
  header.octal(116, 8, 0);
  header.octal(124, 12, size);
  header.octal(136, 12, 0);
  header.text(148, "        ");
  header.bytes[156] = type;
  header.text(157, link);
  header.text(257, std::string_view("ustar\00000", 8));
  header.text(265, "root");
  header.text(297, "root");
  unsigned sum = 0;
  for (char byte : header.bytes) sum += static_cast<unsigned char>(byte);
  std::snprintf(header.bytes.data() + 148, 8, "%06o", sum);
  header.bytes[155] = ' ';
  bytes_.append(header.bytes.data(), header.bytes.size());
}

void TarWriter::addFolder(std::string_view name, unsigned mode) { addHeader(std::string(name) + "/", mode, 0, '5', {}); }

void TarWriter::addFile(std::string_view name, unsigned mode, std::string_view content) {
  addHeader(name, mode, content.size(), '0', {});
  bytes_.append(content);
  bytes_.append((kBlock - content.size() % kBlock) % kBlock, '\0');
}

void TarWriter::addLink(std::string_view name, std::string_view target) { addHeader(name, 0777, 0, '2', target); }

std::string TarWriter::finish() && {
  bytes_.append(2 * kBlock, '\0');
  return std::move(bytes_);
}

}  // namespace swarm::engine
