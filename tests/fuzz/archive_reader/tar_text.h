// Tar by hand, for archives that no writer would make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text/format.h"

namespace swarm::agent {

inline constexpr std::size_t kTarBlock = 512;

/// The sum of the header at `at`, put into it.
inline void putTarSum(std::string& archive, std::size_t at) {
  archive.replace(at + 148, 8, 8, ' ');
  unsigned sum = 0;
  for (std::size_t byte = 0; byte < kTarBlock; ++byte) sum += static_cast<unsigned char>(archive[at + byte]);
  archive.replace(at + 148, 7, format("{:06o}", sum) + '\0');
}

/// One member: header, content, padding. Its size field may be wrong.
inline std::string tarMember(std::string_view name, std::string_view content, char type = '0', std::string_view link = {}) {
  std::string block(kTarBlock, '\0');
  block.replace(0, name.size(), name);
  block.replace(100, 7, "0000644");
  block.replace(108, 7, "0000000");
  block.replace(116, 7, "0000000");
  block.replace(124, 11, format("{:011o}", content.size()));
  block.replace(136, 11, "00000000000");
  block[156] = type;
  block.replace(157, link.size(), link);
  block.replace(257, 5, "ustar");
  block.replace(263, 2, "00");
  putTarSum(block, 0);
  block += content;
  block.resize((block.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  return block;
}

inline std::string tarEnd() { return std::string(2 * kTarBlock, '\0'); }

}  // namespace swarm::agent
