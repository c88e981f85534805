// The end of a tar stream.
#include "agent/tar_tail.h"

#include "agent/tar_gate.h"
#include "base/error.h"

namespace swarm::agent {
namespace {
// The placeholder, two empty blocks and the padding may reach over three records.
constexpr std::size_t kHeld = 3 * kTarRecordBlocks * kTarBlock;
}  // namespace

void TarTail::feed(std::string_view bytes, std::string& out) {
  held_ += bytes;
  if (held_.size() <= kHeld) return;
  out += std::string_view(held_).substr(0, held_.size() - kHeld);
  held_.erase(0, held_.size() - kHeld);
}

std::string TarTail::finish(std::string_view member) const {
  // A placeholder is not empty and has no content: whatever is behind the last block that is not empty is the end.
  auto last = held_.find_last_not_of('\0');
  if (last != std::string::npos && held_.size() % kTarBlock == 0) {
    std::size_t block = last / kTarBlock * kTarBlock;
    if (std::string_view(held_).substr(block).starts_with(placeholder_ + '\0') && held_.size() - block >= 3 * kTarBlock) {
      return held_.substr(0, block).append(member).append(2 * kTarBlock, '\0');
    }
  }
  throw Error(ErrorCode::Internal, "tar ended its stream in a way that is not known.");
}

}  // namespace swarm::agent
