// Results of verbs on workspaces.
#include "cli/verbs/verbs_shared.h"

#include "cli/output/output.h"
#include "cli/output/quantities.h"

namespace swarm::cli {

ResourcePatch patchOf(const ResourceFlags& flags) {
  ResourcePatch patch;
  if (flags.cpus) patch.cpu = CpuPatch{.cores = *flags.cpus, .limit = 0};  // 0: the limit follows the cores
  MemoryPatch memory;
  if (!flags.memory.empty()) memory.max = parseMemory(flags.memory);
  if (!flags.memoryMin.empty()) memory.min = parseMemory(flags.memoryMin);
  if (memory.max || memory.min) patch.memory = memory;
  if (flags.disk) patch.storage = StorageResourcePatch{.size = *flags.disk};
  patch.pids = flags.pids;
  return patch;
}

std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  if (auto known = enumFromName<ProviderType>(text)) return known;  // whether it is there is the server's to say
  std::string names;
  for (const auto& provider : context.client().listProviders()) {
    if (!names.empty()) names += ", ";
    names += provider.at("type").as_string();
  }
  throw WrongUse(format("{} {}: there is no such provider; this server has {}.", flag, text, names.empty() ? "none" : names));
}

bool enforcesStorage(Context& context, ProviderType type) {
  try {
    const boost::json::value provider = context.client().getProvider(std::string(enumName(type)));
    return provider.at("capabilities").at("enforcesStorage").as_bool();
  } catch (const std::exception&) {
    return true;
  }
}

std::string noSuchWorkspace(const std::string& name) { return format("There is no workspace \"{}\". `swarm list` shows yours.", name); }

void printResults(Context& context, const std::vector<Instance>& instances) {
  if (instances.size() > 1 && printStructured(context, toJson(instances))) return;
  for (const Instance& instance : instances) printResult(context, instance);
}

void printResult(Context& context, const Instance& instance) {
  if (printStructured(context, toJson(instance))) return;
  if (context.output() == OutputFormat::Name) {
    print(instance.config.name + "\n");
  } else if (instance.status == InstanceStatus::running && !instance.url.empty()) {
    print(instance.url + "\n");
  }
}

Instance reload(Context& context, const Instance& instance) { return context.client().getInstance(instance.id).value_or(instance); }

}  // namespace swarm::cli
