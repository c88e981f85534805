// create, list, show, start, stop, restart, update, delete.
#include <cstdio>

#include "base/format.h"
#include "base/id.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/quantities.h"
#include "cli/verbs_shared.h"
#include "model/codec.h"

namespace swarm::cli {
namespace {

std::map<std::string, std::string> parsePairs(const std::vector<std::string>& texts, const std::string& flag) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) pairs.insert_or_assign(parseKeyValue(text, flag).first, parseKeyValue(text, flag).second);
  return pairs;
}

/// "[NAME:]/path[:GiB]"
StorageConfig parseVolume(const std::string& text, bool persistent, std::int64_t default_size) {
  StorageConfig storage;
  storage.persistent = persistent;
  storage.size = default_size;
  std::string rest = text;
  if (auto slash = rest.find('/'); slash == std::string::npos || (slash != 0 && rest[slash - 1] != ':')) {
    throw Error(ErrorCode::InvalidArgument, format("--volume {}: expected [NAME:]/path[:GiB], like data:/data:20.", text));
  } else if (slash > 0) {
    storage.volumeName = rest.substr(0, slash - 1);
    rest = rest.substr(slash);
  }
  if (auto colon = rest.rfind(':'); colon != std::string::npos) {
    std::string size = rest.substr(colon + 1);
    auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), storage.size);
    if (failure != std::errc() || end != size.data() + size.size()) {
      throw Error(ErrorCode::InvalidArgument, format("--volume {}: \"{}\" is no size in GiB.", text, size));
    }
    rest = rest.substr(0, colon);
  }
  storage.mountPath = rest;
  return storage;
}

}  // namespace

std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag) {
  auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw Error(ErrorCode::InvalidArgument, format("{} {}: expected KEY=VALUE.", flag, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

namespace {

StartedOperation beginCreate(Context& context, const CreateFlags& flags) {
  InstanceConfig config;
  config.name = flags.name;
  config.image = flags.image;
  config.command = flags.command;
  apply(patchOf(flags.resources), config.resources);
  config.resources.storage.persistent = !flags.ephemeral;
  config.env = parsePairs(flags.env, "--env");
  config.labels = parsePairs(flags.labels, "--label");
  config.network.exposedPorts = flags.ports;
  config.network.internalNetwork = flags.internalNetwork;
  for (const std::string& volume : flags.volumes)
    config.storage.push_back(parseVolume(volume, !flags.ephemeral, config.resources.storage.size));
  if (config.storage.empty() && flags.ephemeral) config.storage.push_back({config.resources.storage.size, false, "/home/coder", ""});

  // The key makes a retry after a cut connection find what the first try made.
  CreateOptions options{parseEnum<ProviderType>(flags.provider, "--provider"), newId("cli"), flags.regions};
  return context.client().createInstance(config, options);
}

}  // namespace

Instance createAndWait(Context& context, const CreateFlags& flags) {
  const StartedOperation started = beginCreate(context, flags);
  std::fputs(format("Creating {} …\n", started.instance.config.name).c_str(), stderr);
  waitWithProgress(context, started.operationId, flags.wait.timeout);
  return reload(context, started.instance);
}

int create(Context& context, const CreateFlags& flags) {
  if (!flags.wait.wait) {
    const StartedOperation started = beginCreate(context, flags);
    if (!printStructured(context, toJson(started.instance))) print(started.instance.config.name + "\n");
    return kDone;
  }
  const Instance instance = createAndWait(context, flags);
  printResult(context, instance);
  return flags.open ? cli::open(context, instance.id, false) : kDone;
}

int list(Context& context, const ListFlags& flags) {
  ListOptions options;
  options.status = parseEnum<InstanceStatus>(flags.status, "--status");
  options.provider = parseEnum<ProviderType>(flags.provider, "--provider");
  options.owner = flags.owner;
  options.labels = parsePairs(flags.labels, "--label");
  std::vector<Instance> instances = context.client().listInstances(options);
  if (printStructured(context, toJson(instances))) return kDone;
  if (context.output() == OutputFormat::Name) {
    for (const Instance& instance : instances) print(instance.config.name + "\n");
    return kDone;
  }
  if (instances.empty()) {
    std::fputs("No instances yet. Make one with `swarm create NAME`.\n", stderr);
    return kDone;
  }
  Table table({"NAME", "STATUS", "PROVIDER", "REGION", "OWNER", "CPUS", "MEMORY", "CREATED", "URL"});
  for (const Instance& instance : instances) {
    table.add({instance.config.name, statusCell(context, instance.status) + (instance.stale ? "?" : ""),
               std::string(enumName(instance.provider)), instance.region.empty() ? "-" : instance.region, instance.owner,
               format("{:g}", instance.resources.cpu.cores), memoryText(instance.resources.memory.max), ago(instance.createdAt),
               instance.url});
  }
  print(table.render(context.columns(), context.colour()));
  for (const Instance& instance : instances) {
    if (instance.stale)
      std::fputs(format("{}: {} can't be reached; this was its state {}.\n", instance.config.name, enumName(instance.provider),
                        ago(instance.observedAt))
                     .c_str(),
                 stderr);
    if (!instance.statusReason.empty()) std::fputs(format("{}: {}\n", instance.config.name, instance.statusReason).c_str(), stderr);
  }
  return kDone;
}

int show(Context& context, const std::string& name) {
  auto instance = context.client().getInstance(name);
  if (!instance) throw Error(ErrorCode::NotFound, format("There is no instance \"{}\". `swarm list` shows yours.", name));
  if (printStructured(context, toJson(*instance))) return kDone;
  if (context.output() == OutputFormat::Name) {
    print(instance->config.name + "\n");
    return kDone;
  }
  std::string text;
  auto row = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += format("{:<12} {}\n", label, value);
  };
  row("name", instance->config.name);
  row("status", statusCell(context, instance->status));
  row("reason", instance->statusReason);
  row("url", instance->url);
  row("id", instance->id);
  row("owner", instance->owner);
  row("provider",
      std::string(enumName(instance->provider)) + (instance->stale ? " (not reachable; last seen " + ago(instance->observedAt) + ")" : ""));
  row("region", instance->region);
  if (instance->keptSource) {
    const auto& kept = *instance->keptSource;
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(kept.until - RealClock().now()).count();
    row("kept place", format("{}, for {} more; back with: swarm migrate {} --back", placeText(kept.provider, kept.region),
                             durationText(left), instance->config.name));
  }
  row("image", instance->config.image);
  row("cpus", format("{:g}", instance->resources.cpu.cores));
  row("memory", memoryText(instance->resources.memory.max));
  row("created", formatTime(instance->createdAt));
  row("last active", ago(instance->lastActive));
  row("address", instance->network.internalIp);
  for (const StorageConfig& storage : instance->config.storage) {
    row("volume", format("{} {} GiB{}{}", storage.mountPath, storage.size, storage.persistent ? "" : ", goes with the instance",
                         storage.volumeName.empty() ? "" : ", " + storage.volumeName));
  }
  for (const PortMapping& port : instance->network.ports) row("port", format("{}/{} on {}", port.internal, port.protocol, port.external));
  for (const auto& [key, value] : instance->config.labels) row("label", key + "=" + value);
  row("operation", instance->operationId);
  print(text);
  return kDone;
}

int lifecycle(Context& context, LifecycleVerb verb, const std::vector<std::string>& names, const WaitOptions& wait) {
  // All begin before the first is waited for.
  std::vector<StartedOperation> started;
  for (const std::string& name : names) {
    started.push_back(verb == LifecycleVerb::Start  ? context.client().startInstance(name)
                      : verb == LifecycleVerb::Stop ? context.client().stopInstance(name)
                                                    : context.client().restartInstance(name));
  }
  for (const StartedOperation& one : started) {
    if (wait.wait && !one.operationId.empty()) waitWithProgress(context, one.operationId, wait.timeout);
    printResult(context, reload(context, one.instance));
  }
  return kDone;
}

int update(Context& context, const UpdateFlags& flags) {
  auto instance = context.client().getInstance(flags.name);
  if (!instance) throw Error(ErrorCode::NotFound, format("There is no instance \"{}\".", flags.name));
  UpdateOptions options;
  options.ifVersion = instance->version;
  if (flags.resources.given()) options.resources = patchOf(flags.resources);
  auto merge = [](std::map<std::string, std::string> into, const std::vector<std::string>& changes, const std::string& flag) {
    for (const std::string& change : changes) {
      if (change.find('=') == std::string::npos) {
        into.erase(change);
      } else {
        auto [key, value] = parseKeyValue(change, flag);
        into[key] = value;
      }
    }
    return into;
  };
  if (!flags.env.empty()) options.env = merge(instance->config.env, flags.env, "--env");
  if (!flags.labels.empty()) options.labels = merge(instance->config.labels, flags.labels, "--label");
  if (flags.portsGiven) options.network = NetworkPatch{.exposedPorts = flags.ports};
  UpdateOutcome outcome = context.client().updateInstance(flags.name, options);
  if (flags.wait.wait && !outcome.operationId.empty()) waitWithProgress(context, outcome.operationId, flags.wait.timeout);
  if (printStructured(context, toJson(reload(context, outcome.instance)))) return kDone;
  std::fputs(outcome.effect == "live"      ? "Changed while it runs.\n"
             : outcome.effect == "restart" ? "Changed; it was restarted, or will have it at its next start.\n"
                                           : "Changed.\n",
             stderr);
  return kDone;
}

int remove(Context& context, const DeleteFlags& flags) {
  if (flags.volumes && !flags.yes && !confirmed("This deletes the files of the volumes too. Go on? [y/N] ")) return kFailed;
  std::vector<StartedOperation> started;
  for (const std::string& name : flags.names) started.push_back(context.client().deleteInstance(name, flags.volumes));
  for (const StartedOperation& one : started) {
    if (flags.wait.wait && !one.operationId.empty()) waitWithProgress(context, one.operationId, flags.wait.timeout);
    if (context.output() == OutputFormat::Name) print(one.instance.config.name + "\n");
  }
  return kDone;
}

}  // namespace swarm::cli
