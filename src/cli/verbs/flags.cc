// Declares the common flags and reads their values.
#include "cli/verbs/flags.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/id.h"
#include "base/text/number.h"
#include "cli/output/output.h"
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/results.h"

namespace swarm::cli {
namespace {

/// "-": standard input.
std::string readScript(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file)
    throw Error(ErrorCode::InvalidArgument, format("--setup {}: the file can't be read: {}.", path, std::strerror(errno)));
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
    const std::string size = rest.substr(colon + 1);
    const auto number = parseNumber<std::int64_t>(size);
    if (!number) throw WrongUse(format("--volume {}: \"{}\" is not a size in GiB.", text, size));
    storage.size = *number;
    rest.resize(colon);
  }
  storage.mountPath = rest;
  return storage;
}

InstanceConfig configOf(const CreateFlags& flags) {
  InstanceConfig config;
  config.name = flags.name;
  config.image = flags.image;
  config.command = flags.command;
  apply(flags.resources.patch(), config.resources);
  config.resources.storage.persistent = !flags.ephemeral;
  config.env = parsePairs(flags.env, "--env");
  config.labels = parsePairs(flags.labels, "--label");
  config.network.exposedPorts = flags.ports;
  config.network.internalNetwork = flags.internalNetwork;
  config.network.regions = flags.regions;
  if (flags.egress.given()) {
    const EgressPatch egress = flags.egress.patch();
    config.network.egress = EgressConfig{egress.policy.value_or(EgressPolicy::open), egress.allow.value_or(std::vector<std::string>())};
  }
  const SecurityPatch security = flags.security.patch();
  config.security = {security.noNewPrivileges.value_or(false), security.readOnlyRoot.value_or(false)};
  if (!flags.setupFile.empty()) config.setup = readScript(flags.setupFile);
  for (const std::string& volume : flags.volumes)
    config.storage.push_back(parseVolume(volume, !flags.ephemeral, config.resources.storage.size));
  if (config.storage.empty() && flags.ephemeral) config.storage.push_back({config.resources.storage.size, false, "/home/coder", ""});
  return config;
}

}  // namespace

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

void SecurityFlags::declare(Arguments& arguments) {
  arguments.option("--no-new-privileges", no_new_privileges_, "on: sudo and other set-uid programs do not work")
      .oneOf({"on", "off"})
      .sets("/security/noNewPrivileges");
  arguments.option("--read-only-root", read_only_root_, "on: only volumes, /tmp, /var/tmp and /run can be written")
      .oneOf({"on", "off"})
      .sets("/security/readOnlyRoot");
}

SecurityPatch SecurityFlags::patch() const {
  SecurityPatch patch;
  if (!no_new_privileges_.empty()) patch.noNewPrivileges = no_new_privileges_ == "on";
  if (!read_only_root_.empty()) patch.readOnlyRoot = read_only_root_ == "on";
  return patch;
}

void EgressFlags::declare(Arguments& arguments) {
  arguments
      .option("--egress", policy_,
              "What it may reach. open: everything; default: not the provider's machine, private ranges, link-local addresses and metadata "
              "services; none: nothing")
      .oneOf({"open", "default", "none"})
      .sets("/network/egress/policy");
  arguments
      .option("--egress-allow", allow_,
              "NET[:PORT] that it may reach nevertheless, like 10.1.0.0/16:443 or [fd00::/8]:443; may be repeated, \"\" removes all")
      .sets("/network/egress/allow");
}

EgressPatch EgressFlags::patch() const {
  EgressPatch patch;
  patch.policy = parseEnum<EgressPolicy>(policy_, "--egress");
  if (allow_.empty()) return patch;
  patch.allow = allow_;
  std::erase(*patch.allow, "");
  return patch;
}

std::string egressText(const Instance& instance) {
  std::string text;
  const auto& own = instance.config.network.egress;
  const auto& report = instance.network.egress;
  if (own || report) text = enumName(report ? report->policy : own->policy);
  if (own && !own->allow.empty()) text += ", but " + joined(own->allow);
  if (report) text += format("; {} packets were refused", report->denied);
  return text;
}

std::string securityText(const SecurityConfig& security) {
  std::string text = security.noNewPrivileges ? "no new privileges" : "";
  if (security.readOnlyRoot) text += text.empty() ? "read-only root" : ", read-only root";
  return text;
}

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

std::chrono::minutes parseSpan(const std::string& text, const std::string& flag) {
  constexpr std::pair<char, std::chrono::minutes> kUnits[] = {
      {'m', std::chrono::minutes(1)}, {'h', std::chrono::hours(1)}, {'d', std::chrono::hours(24)}};
  const auto* unit = std::ranges::find(kUnits, text.empty() ? ' ' : text.back(), &std::pair<char, std::chrono::minutes>::first);
  const auto number = parseNumber<std::uint16_t>(std::string_view(text).substr(0, text.empty() ? 0 : text.size() - 1));
  if (unit == std::end(kUnits) || !number || *number == 0)
    throw WrongUse(format("{} {}: expected a time span like 30m, 8h or 7d.", flag, text));
  return unit->second * *number;
}

std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  if (auto known = enumFromName<ProviderType>(text)) return known;  // the server decides whether it has that one
  std::vector<std::string> names;
  for (const auto& provider : context.client().listProviders()) names.emplace_back(provider.at("type").as_string());
  throw WrongUse(format("{} {}: there is no such provider; this server has {}.", flag, text, names.empty() ? "none" : joined(names)));
}

void CreateFlags::declare(Arguments& arguments) {
  arguments.option("--provider", provider, "Provider, as `swarm providers` lists them (default: chosen by the server)")
      .sets("/provider")
      .suggest(providerNames());
  arguments.option("--image", image, "Image (default: the workspace image)").sets("/image");
  resources.declare(arguments);
  arguments.option("-e,--env", env, "KEY=VALUE in the environment; may be repeated").sets("/env");
  arguments.option("-l,--label", labels, "KEY=VALUE label; may be repeated").sets("/labels");
  arguments.option("--region", regions, "Region of Fly.io, like ams, or name of a Docker host; several are tried in order")
      .commaSeparated()
      .sets("/network/regions")
      .sets("/region")
      .suggest(regionNames());
  arguments.option("-p,--port", ports, "Port to publish; may be repeated. Ports inside are reachable at PORT.NAME.localhost without it")
      .sets("/network/exposedPorts");
  arguments.option("-v,--volume", volumes, "[NAME:]/path[:GiB]; may be repeated (default: one at /home/coder)").sets("/storage");
  arguments.flag("--internal-network", internalNetwork, "Block access to the internet").sets("/network/internalNetwork");
  egress.declare(arguments);
  security.declare(arguments);
}

StartedOperation beginCreate(Context& context, const CreateFlags& flags) {
  const InstanceConfig config = configOf(flags);
  // A retry after a broken connection returns what the first attempt created.
  CreateOptions options{parseProvider(context, flags.provider, "--provider"), newId("cli")};
  StartedOperation started = context.client().createInstance(config, options);
  if (flags.resources.givesDisk()) reportUnenforcedStorage(context, {started.instance});
  return started;
}

Instance createAndWait(Context& context, const CreateFlags& flags, std::chrono::seconds timeout) {
  const StartedOperation started = beginCreate(context, flags);
  report(format("Creating {} …\n", started.instance.config.name));
  waitWithProgress(context, started.operationId, timeout);
  return reload(context, started.instance);
}

}  // namespace swarm::cli
