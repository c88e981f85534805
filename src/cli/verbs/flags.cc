// Declares the common flags and reads their values.
#include "cli/verbs/flags.h"

#include "cli/output/quantities.h"

namespace swarm::cli {

void WaitFlags::declare(Arguments& arguments) {
  arguments.flag("--no-wait", noWait, "Return at once; the operation continues");
  arguments.option("--timeout", timeout, format("Seconds to wait (default {})", timeout.count())).range(1, 86400);
}

void ResourceFlags::declare(Arguments& arguments) {
  arguments.option("--cpus", cpus, "Cores, like 2 or 0.5").sets("/resources/cpu").check([](const std::string& text) {
    const bool is_number = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    return is_number ? std::string() : std::string("expected a number of cores, like 2 or 0.5");
  });
  arguments.option("--memory", memory, "Memory limit, like 4g or 512m").sets("/resources/memory");
  arguments.option("--memory-min", memoryMin, "Memory to reserve").sets("/resources/memory/min");
  arguments.option("--disk,--storage", disk, "Size of the volumes in GiB").sets("/resources/storage");
  arguments.option("--pids", pids, "Maximum number of processes and threads").sets("/resources/pids");
}

ResourcePatch ResourceFlags::patch() const {
  ResourcePatch patch;
  if (cpus) patch.cpu = CpuPatch{.cores = *cpus, .limit = 0};  // 0: the limit follows the cores
  MemoryPatch limits;
  if (!memory.empty()) limits.max = parseMemory(memory);
  if (!memoryMin.empty()) limits.min = parseMemory(memoryMin);
  if (limits.max || limits.min) patch.memory = limits;
  if (disk) patch.storage = StorageResourcePatch{.size = *disk};
  patch.pids = pids;
  return patch;
}

std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag) {
  auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw WrongUse(format("{} {}: expected KEY=VALUE.", flag, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::map<std::string, std::string> parsePairs(const std::vector<std::string>& texts, const std::string& flag) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) {
    auto [key, value] = parseKeyValue(text, flag);
    pairs.insert_or_assign(std::move(key), std::move(value));
  }
  return pairs;
}

std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  if (auto known = enumFromName<ProviderType>(text)) return known;  // the server decides whether it has that one
  std::string names;
  for (const auto& provider : context.client().listProviders()) {
    if (!names.empty()) names += ", ";
    names += provider.at("type").as_string();
  }
  throw WrongUse(format("{} {}: there is no such provider; this server has {}.", flag, text, names.empty() ? "none" : names));
}

}  // namespace swarm::cli
