// Flags that several verbs have, and what their values mean.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text/format.h"
#include "cli/arguments.h"
#include "cli/context.h"
#include "model/codec/codec.h"

namespace swarm::cli {

/// --no-wait and --timeout.
struct WaitFlags {
  bool noWait = false;
  std::chrono::seconds timeout{900};
  void declare(Arguments& arguments);
};
inline constexpr std::chrono::hours kLongWait{24};  // of a move or a snapshot

/// --cpus, --memory, --memory-min, --disk, --pids.
struct ResourceFlags {
  std::optional<double> cpus;
  std::string memory;  ///< "4g", "512m"
  std::string memoryMin;
  std::optional<std::int64_t> disk;  ///< GiB
  std::optional<std::int64_t> pids;
  void declare(Arguments& arguments);
  bool given() const { return cpus || !memory.empty() || !memoryMin.empty() || disk || pids; }
  /// Throws WrongUse.
  ResourcePatch patch() const;
};

/// "K=V" → pair. Throws WrongUse that names `flag`.
std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag);
std::map<std::string, std::string> parsePairs(const std::vector<std::string>& texts, const std::string& flag);

/// The provider of that name; empty: none was given. Throws WrongUse with the names of those that the server has.
std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag);

template <typename Enum>
std::optional<Enum> parseEnum(const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  auto value = enumFromName<Enum>(text);
  if (!value) throw WrongUse(format("{} {}: expected one of {}.", flag, text, enumNames<Enum>()));
  return value;
}

}  // namespace swarm::cli
