// create, list, show, start, stop, restart, update, delete.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/untrusted_text.h"
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/verbs_shared.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

std::map<std::string, std::string> parsePairs(const std::vector<std::string>& texts, const std::string& flag) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) pairs.insert_or_assign(parseKeyValue(text, flag).first, parseKeyValue(text, flag).second);
  return pairs;
}

/// "-": standard input.
std::string readScript(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file)
    throw Error(ErrorCode::InvalidArgument, format("--setup {}: the file can't be read: {}.", path, ::strerror(errno)));
  std::istream& source = path == "-" ? std::cin : file;
  std::string text(std::istreambuf_iterator<char>(source), {});
  if (text.empty()) throw Error(ErrorCode::InvalidArgument, format("--setup {}: the script is empty.", path));
  return text;
}

/// "[NAME:]/path[:GiB]"
StorageConfig parseVolume(const std::string& text, bool persistent, std::int64_t default_size) {
  StorageConfig storage;
  storage.persistent = persistent;
  storage.size = default_size;
  std::string rest = text;
  if (auto slash = rest.find('/'); slash == std::string::npos || (slash != 0 && rest[slash - 1] != ':')) {
    throw WrongUse(format("--volume {}: expected [NAME:]/path[:GiB], like data:/data:20.", text));
  } else if (slash > 0) {
    storage.volumeName = rest.substr(0, slash - 1);
    rest = rest.substr(slash);
  }
  if (auto colon = rest.rfind(':'); colon != std::string::npos) {
    std::string size = rest.substr(colon + 1);
    auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), storage.size);
    if (failure != std::errc() || end != size.data() + size.size()) {
      throw WrongUse(format("--volume {}: \"{}\" is not a size in GiB.", text, size));
    }
    rest = rest.substr(0, colon);
  }
  storage.mountPath = rest;
  return storage;
}

}  // namespace

std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag) {
  auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw WrongUse(format("{} {}: expected KEY=VALUE.", flag, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

namespace {

/// A line for each provider among those of `instances` at which the size of a volume limits nothing.
void noteLooseStorage(Context& context, const std::vector<Instance>& instances) {
  std::set<ProviderType> providers;
  for (const Instance& instance : instances) providers.insert(instance.provider);
  for (ProviderType provider : providers) {
    if (!enforcesStorage(context, provider))
      tell(format("Sizes of volumes are not enforced at {}: files can fill its disk.\n", placeTitle(provider)));
  }
}

std::string diskText(const Instance& instance) {
  std::int64_t size = 0;
  for (const StorageConfig& storage : instance.config.storage) size += storage.size;
  return format("{} GiB", size);
}

std::string marksOf(const Instance& instance) { return format("{}{}", instance.stale ? "?" : "", instance.imageOutdated ? "*" : ""); }

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
  if (!flags.setupFile.empty()) config.setup = readScript(flags.setupFile);
  for (const std::string& volume : flags.volumes)
    config.storage.push_back(parseVolume(volume, !flags.ephemeral, config.resources.storage.size));
  if (config.storage.empty() && flags.ephemeral) config.storage.push_back({config.resources.storage.size, false, "/home/coder", ""});

  // The key makes a retry after a cut connection find what the first try made.
  CreateOptions options{parseProvider(context, flags.provider, "--provider"), newId("cli"), flags.regions};
  StartedOperation started = context.client().createInstance(config, options);
  if (flags.resources.disk) noteLooseStorage(context, {started.instance});
  return started;
}

}  // namespace

Instance createAndWait(Context& context, const CreateFlags& flags) {
  const StartedOperation started = beginCreate(context, flags);
  tell(format("Creating {} …\n", started.instance.config.name));
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
  return flags.open ? cli::open(context, {.name = instance.id}) : kDone;
}

int list(Context& context, const ListFlags& flags) {
  ListOptions options;
  options.status = parseEnum<InstanceStatus>(flags.status, "--status");
  options.provider = parseProvider(context, flags.provider, "--provider");
  options.owner = flags.owner;
  options.labels = parsePairs(flags.labels, "--label");
  std::vector<Instance> instances = context.client().listInstances(options);
  if (printStructured(context, toJson(instances))) return kDone;
  if (context.output() == OutputFormat::Name) {
    for (const Instance& instance : instances) print(instance.config.name + "\n");
    return kDone;
  }
  if (instances.empty()) {
    tell("There are no workspaces yet. Create one with `swarm create NAME`.\n");
    return kDone;
  }
  Table table(
      {copied("NAME"), "STATUS", "PLACE", extra("OWNER"), extra("CPUS"), extra("MEMORY"), extra("DISK"), extra("CREATED"), copied("URL")});
  for (const Instance& instance : instances) {
    table.add({instance.config.name, statusCell(instance.status, marksOf(instance)), placeTitle(instance.provider, instance.region),
               instance.owner, format("{:g}", instance.resources.cpu.cores), memoryText(instance.resources.memory.max), diskText(instance),
               ago(instance.createdAt), instance.url});
  }
  print(table.render(context.columns(), context.colour()));
  for (const Instance& instance : instances) {
    if (instance.stale)
      tell(format("{}: {} cannot be reached; this was its state {}.\n", instance.config.name, enumName(instance.provider),
                  ago(instance.observedAt)));
    if (!instance.statusReason.empty()) tell(format("{}: {}\n", instance.config.name, printable(instance.statusReason)));
  }
  if (std::ranges::any_of(instances, &Instance::imageOutdated))
    tell("* An older image; to replace it: swarm update NAME --refresh-image\n");
  noteLooseStorage(context, instances);
  return kDone;
}

int show(Context& context, const std::string& name) {
  auto instance = context.client().getInstance(name);
  if (!instance) throw Error(ErrorCode::NotFound, noSuchWorkspace(name));
  if (printStructured(context, toJson(*instance))) return kDone;
  if (context.output() == OutputFormat::Name) {
    print(instance->config.name + "\n");
    return kDone;
  }
  std::string text;
  auto row = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += format("{:<12} {}\n", label, printable(value));
  };
  row("name", instance->config.name);
  const Cell status = statusCell(instance->status);
  text += format("{:<12} {}\n", "status", context.colour() ? format("\033[{}m{}\033[0m", status.colour, status.text) : status.text);
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
    row("kept place", format("{}, for {} more; back with: swarm migrate {} --back", placeTitle(kept.provider, kept.region),
                             durationText(left), instance->config.name));
  }
  row("image", instance->config.image);
  if (instance->imageOutdated)
    row("newer image", format("there is one; to take it: swarm update {} --refresh-image", instance->config.name));
  row("cpus", format("{:g}", instance->resources.cpu.cores));
  row("memory", memoryText(instance->resources.memory.max));
  row("created", formatTime(instance->createdAt));
  row("last active", ago(instance->lastActive));
  row("address", instance->network.internalIp);
  const std::string limits = enforcesStorage(context, instance->provider) ? "" : " (not enforced by the provider)";
  for (const StorageConfig& storage : instance->config.storage) {
    row("volume", format("{} {} GiB{}{}{}", storage.mountPath, storage.size, limits, storage.persistent ? "" : ", goes with the instance",
                         storage.volumeName.empty() ? "" : ", " + storage.volumeName));
  }
  for (const PortMapping& port : instance->network.ports) row("port", format("{}/{} on {}", port.internal, port.protocol, port.external));
  for (const auto& [key, value] : instance->config.labels) row("label", key + "=" + value);
  row("operation", instance->operationId);
  print(text);
  return kDone;
}

int lifecycle(Context& context, LifecycleVerb verb, const std::vector<std::string>& names, const WaitOptions& wait, bool empty_volumes) {
  // All begin before the first is waited for.
  std::vector<StartedOperation> started;
  for (const std::string& name : names) {
    started.push_back(verb == LifecycleVerb::Start  ? context.client().startInstance(name, {}, empty_volumes)
                      : verb == LifecycleVerb::Stop ? context.client().stopInstance(name)
                                                    : context.client().restartInstance(name));
  }
  std::vector<Instance> results;
  for (const StartedOperation& one : started) {
    if (wait.wait && !one.operationId.empty()) waitWithProgress(context, one.operationId, wait.timeout);
    results.push_back(reload(context, one.instance));
  }
  printResults(context, results);
  return kDone;
}

namespace {

std::map<std::string, std::string> merged(std::map<std::string, std::string> into, const std::vector<std::string>& changes,
                                          const std::string& flag) {
  for (const std::string& change : changes) {
    if (change.find('=') == std::string::npos) {
      into.erase(change);
    } else {
      auto [key, value] = parseKeyValue(change, flag);
      into[key] = value;
    }
  }
  return into;
}

UpdateOptions updateOptionsOf(const Instance& instance, const UpdateFlags& flags) {
  UpdateOptions options;
  options.ifVersion = instance.version;
  options.refreshImage = flags.refreshImage;
  if (flags.resources.given()) options.resources = patchOf(flags.resources);
  if (!flags.env.empty()) options.env = merged(instance.config.env, flags.env, "--env");
  if (!flags.labels.empty()) options.labels = merged(instance.config.labels, flags.labels, "--label");
  if (flags.portsGiven) options.network = NetworkPatch{.exposedPorts = flags.ports};
  return options;
}

std::string lossText(const ReplacementLoss& loss) {
  std::string folders;
  for (const DroppedFolder& folder : loss.folders)
    folders += format("{}{} ({})", folders.empty() ? "" : ", ", folder.path, countText(folder.files));
  return format("{}{} files outside of its volumes, such as installed packages, are lost: {}.\n", loss.more ? "More than " : "",
                countText(loss.files), folders);
}

/// Says what an update will interrupt and drop, and asks. False: it is not wanted.
bool mayUpdate(Context& context, const Instance& instance, const UpdateOptions& options, bool yes) {
  const bool only_labels = !options.resources && !options.env && !options.network && !options.refreshImage;
  if (yes || only_labels) return true;
  const UpdatePlan plan = context.client().planUpdate(instance.id, options);
  const bool running = instance.status == InstanceStatus::running;
  if (plan.effect != "restart" || (!running && plan.drops.files == 0)) return true;
  const std::string& name = instance.config.name;
  tell(running ? format("{} must be restarted for this: everything that runs in it ends; files in its volumes stay.\n", name)
               : format("{} gets a new container for this; files in its volumes stay.\n", name));
  if (plan.drops.files > 0) tell(lossText(plan.drops));
  return confirmed();
}

}  // namespace

int update(Context& context, const UpdateFlags& flags) {
  patchOf(flags.resources);  // a value without a meaning is wrong use, whatever the server says
  auto instance = context.client().getInstance(flags.name);
  if (!instance) throw Error(ErrorCode::NotFound, noSuchWorkspace(flags.name));
  const UpdateOptions options = updateOptionsOf(*instance, flags);
  if (!mayUpdate(context, *instance, options, flags.yes)) return kFailed;
  UpdateOutcome outcome = context.client().updateInstance(flags.name, options);
  const bool waits = flags.wait.wait && !outcome.operationId.empty();
  if (waits) waitWithProgress(context, outcome.operationId, flags.wait.timeout);
  if (printStructured(context, toJson(reload(context, outcome.instance)))) return kDone;
  const std::string& name = instance->config.name;
  if (flags.resources.disk) noteLooseStorage(context, {outcome.instance});
  if (flags.refreshImage)
    tell(format("{} {} from the image that {} is now.\n", name, waits ? "was recreated" : "is being recreated",
                outcome.instance.config.image));
  else if (outcome.effect == "live")
    tell(format("{} was changed while it runs.\n", name));
  else if (outcome.effect != "restart")
    tell(format("{} was changed.\n", name));
  else if (outcome.operationId.empty())
    tell(format("{} was changed; the change takes effect at its next start.\n", name));
  else
    tell(format("{} {}.\n", name, waits ? "was changed and restarted" : "is being changed and restarted"));
  return kDone;
}

namespace {

/// A workspace that is to be deleted, and the volumes that hold its files.
struct Condemned {
  Instance instance;
  std::vector<std::string> volumes;
};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<Condemned> findCondemned(Context& context, const std::vector<std::string>& names) {
  std::vector<Condemned> all;
  for (const std::string& name : names) {
    auto instance = context.client().getInstance(name);
    if (!instance) throw Error(ErrorCode::NotFound, noSuchWorkspace(name));
    all.push_back({std::move(*instance), {}});
  }
  for (const auto& value : context.client().listVolumes()) {
    const auto& volume = value.as_object();
    for (Condemned& one : all) {
      if (volume.at("instanceId").as_string() == one.instance.id) one.volumes.emplace_back(volume.at("name").as_string());
    }
  }
  return all;
}

std::string warningOf(const Condemned& one, bool with_volumes) {
  const std::string& name = one.instance.config.name;
  std::string text = format("Deleting {} ({})", name, enumName(one.instance.status));
  if (with_volumes)
    text += one.volumes.empty() ? " with all its files" : format(" with all its files in {}; they cannot be restored", listed(one.volumes));
  else if (!one.volumes.empty())
    text += format("; its files stay in {}", listed(one.volumes));
  for (const StorageConfig& storage : one.instance.config.storage) {
    if (!with_volumes && !storage.persistent) text += format("; what is in {} is deleted, too", storage.mountPath);
  }
  return text + ".\n";
}

boost::json::object deletedJson(const Condemned& one, bool with_volumes, bool done) {
  boost::json::array volumes(one.volumes.begin(), one.volumes.end());
  return {{"id", one.instance.id},
          {"name", one.instance.config.name},
          {"deleted", done},
          {"volumes", std::move(volumes)},
          {"volumesDeleted", with_volumes}};
}

}  // namespace

int remove(Context& context, const DeleteFlags& flags) {
  const std::vector<Condemned> all = findCondemned(context, flags.names);
  bool risky = flags.volumes;
  for (const Condemned& one : all) {
    tell(warningOf(one, flags.volumes));
    risky = risky || one.instance.status != InstanceStatus::stopped;
  }
  if (risky && !flags.yes && !confirmed()) return kFailed;
  std::vector<StartedOperation> started;
  for (const Condemned& one : all) started.push_back(context.client().deleteInstance(one.instance.id, flags.volumes));
  boost::json::array results;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool done = flags.wait.wait || started[i].operationId.empty();
    if (flags.wait.wait && !started[i].operationId.empty()) waitWithProgress(context, started[i].operationId, flags.wait.timeout);
    const std::string& name = all[i].instance.config.name;
    results.push_back(deletedJson(all[i], flags.volumes, done));
    if (context.output() == OutputFormat::Name) print(name + "\n");
    if (context.output() != OutputFormat::Table || !done) continue;
    tell(format("{} is deleted.\n", name));
    if (!flags.volumes && !all[i].volumes.empty())
      tell(format("Its files are in {}; `swarm volumes` lists them.\n", listed(all[i].volumes)));
  }
  printStructured(context, results.size() == 1 ? results.front() : boost::json::value(results));
  return kDone;
}

}  // namespace swarm::cli
