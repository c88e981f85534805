// The configuration of a new workspace, from flags.
#include "cli/verbs/instances/create_flags.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/id.h"
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
    const auto number = wholeNumber<std::int64_t>(size);
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
  if (!flags.setupFile.empty()) config.setup = readScript(flags.setupFile);
  for (const std::string& volume : flags.volumes)
    config.storage.push_back(parseVolume(volume, !flags.ephemeral, config.resources.storage.size));
  if (config.storage.empty() && flags.ephemeral) config.storage.push_back({config.resources.storage.size, false, "/home/coder", ""});
  return config;
}

}  // namespace

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
