// Amounts as users write and read them. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/text/duration_text.h"

namespace swarm::cli {

std::string bytesText(std::int64_t bytes);       ///< "512 KB", "1.2 GB": powers of 1024, as `ls -h`
std::string countText(std::int64_t count);       ///< "100,000"
std::string memoryText(std::int64_t mebibytes);  ///< "4 GiB", "512 MiB"

/// "4g", "512m", "1024" (MiB) → MiB. Throws WrongUse.
std::int64_t parseMemory(const std::string& text);
/// "5m", "2h", "1d", "90s" before `now`, as RFC 3339; a time unchanged. Throws WrongUse.
std::string sinceTime(const std::string& text, SystemTime now);
/// "10M", "500K", "1.5G" (powers of 1024) or a bare number → bytes per second. Throws WrongUse.
std::int64_t parseRate(const std::string& text);

}  // namespace swarm::cli
