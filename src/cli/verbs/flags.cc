// Declares the common flags and reads their values.
#include "cli/verbs/flags.h"

#include "cli/output/output.h"
#include "cli/output/quantities.h"

namespace swarm::cli {

void WaitFlags::declare(Arguments& arguments) {
  arguments.flag("--no-wait", noWait, "Return at once; the operation continues");
  arguments.option("--timeout", timeout, format("Seconds to wait (default {})", timeout.count())).range(1, 86400);
}

void ResourceFlags::declare(Arguments& arguments) {
  arguments.option("--cpus", flags_.cpu->cores, "Cores, like 2 or 0.5").sets("/resources/cpu").check([](const std::string& text) {
    const bool is_number = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    return is_number ? std::string() : std::string("expected a number of cores, like 2 or 0.5");
  });
  arguments.memory("--memory", flags_.memory->max, "Memory limit, like 4g or 512m").sets("/resources/memory");
  arguments.memory("--memory-min", flags_.memory->min, "Memory to reserve; 0: none").sets("/resources/memory/min");
  arguments.option("--disk,--storage", flags_.storage->size, "Size of the volumes in GiB").sets("/resources/storage");
  arguments.memory("--shm-size", flags_.shmSize, "Size of /dev/shm, like 512m; 0: the default").sets("/resources/shmSize");
  arguments.option("--pids", flags_.pids, "Maximum number of processes and threads").sets("/resources/pids");
}

ResourcePatch ResourceFlags::patch() const {
  ResourcePatch patch = flags_;
  if (patch.cpu->cores) patch.cpu->limit = 0;  // the limit follows the cores
  if (!patch.cpu->cores) patch.cpu.reset();
  if (!patch.memory->max && !patch.memory->min) patch.memory.reset();
  if (!patch.storage->size) patch.storage.reset();
  return patch;
}

bool ResourceFlags::given() const { return !toJson(patch()).as_object().empty(); }

std::vector<std::pair<std::string_view, std::string>> resourceRows(const ResourceConfig& resources) {
  return {{"cpus", format("{:g}", resources.cpu.cores)},
          {"memory", memoryText(resources.memory.max)},
          {"/dev/shm", resources.shmSize > 0 ? memoryText(resources.shmSize) : ""}};
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
  std::vector<std::string> names;
  for (const auto& provider : context.client().listProviders()) names.emplace_back(provider.at("type").as_string());
  throw WrongUse(format("{} {}: there is no such provider; this server has {}.", flag, text, names.empty() ? "none" : joined(names)));
}

}  // namespace swarm::cli
