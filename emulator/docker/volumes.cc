// Volumes, and the helper container that copies and measures them.
#include "async/attempt.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "engine/format/tar.h"

namespace swarm::emulator {
namespace {

/// Measuring starts a container: results are cached for clients that poll.
constexpr std::chrono::seconds kUsedBytesMemory{15};
constexpr std::string_view kToolInImage = "/fly-guest-tool";

std::string lockOf(const std::string& volume_id) { return "volume " + volume_id; }

}  // namespace

awaitable<void> DockerBackend::requireVolume(std::string volume_id, Deadline deadline) {
  if (!co_await engine_.inspectVolume(volumeName(id(), volume_id), deadline)) {
    throw Error(ErrorCode::NotFound, format("The volume {} does not exist.", volume_id));
  }
}

awaitable<void> DockerBackend::createVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline) {
  co_await finish(makeVolume(std::move(volume_id), size_gb, deadline));
}

awaitable<void> DockerBackend::copyVolume(std::string from_id, std::string to_id, Deadline deadline) {
  co_await finish(copyNow(std::move(from_id), std::move(to_id), deadline));
}

awaitable<void> DockerBackend::makeVolume(std::string volume_id, std::int64_t size_gb, Deadline deadline) {
  json::object labels{{kLabelEmulator, id()}, {kLabelVolume, volume_id}, {"fly-emulator.size-gb", std::to_string(size_gb)}};
  json::object body{{"Name", volumeName(id(), volume_id)}, {"Driver", "local"}, {"Labels", std::move(labels)}};
  co_await engine_.createVolume(std::move(body), {}, deadline);
}

awaitable<void> DockerBackend::destroyVolume(std::string volume_id, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(lockOf(volume_id), deadline);  // no helper may use it
  co_await removeVolume(std::move(volume_id), deadline);
}

awaitable<void> DockerBackend::removeVolume(std::string volume_id, Deadline deadline) {
  used_bytes_.erase(volume_id);
  if (co_await engine_.removeVolume(volumeName(id(), volume_id), deadline)) co_return;
  throw Error(ErrorCode::Conflict, format("The volume {} is in use.", volume_id));
}

awaitable<void> DockerBackend::copyNow(std::string from_id, std::string to_id, Deadline deadline) {
  // In a fixed order, so that two copies cannot deadlock.
  async::KeyedLock::Guard first = co_await locks_.acquire(lockOf(std::min(from_id, to_id)), deadline);
  async::KeyedLock::Guard second = co_await locks_.acquire(lockOf(std::max(from_id, to_id)), deadline);
  co_await requireVolume(from_id, deadline);
  co_await removeVolume(to_id, deadline);  // an incomplete copy, left by a killed emulator
  co_await makeVolume(to_id, 0, deadline);
  std::vector<HelperMount> mounts{{from_id, "/from", true}, {to_id, "/to", false}};
  auto copied = co_await async::attempt(runTool({"copy", "/from", "/to"}, std::move(mounts), deadline));
  if (copied) co_return;
  co_await removeVolume(to_id, Deadline::after(std::chrono::seconds(10)));
  throw copied.error();
}

awaitable<std::int64_t> DockerBackend::volumeBytesUsed(std::string volume_id, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(lockOf(volume_id), deadline);
  auto known = used_bytes_.find(volume_id);
  if (known != used_bytes_.end() && std::chrono::steady_clock::now() - known->second.at < kUsedBytesMemory) co_return known->second.bytes;
  co_await requireVolume(volume_id, deadline);
  std::string text = co_await runTool({"usage", "/volume"}, {{volume_id, "/volume", true}}, deadline);
  std::int64_t bytes = std::strtoll(text.c_str(), nullptr, 10);
  used_bytes_[volume_id] = {bytes, std::chrono::steady_clock::now()};
  co_return bytes;
}

awaitable<std::vector<std::string>> DockerBackend::volumeIds(Deadline deadline) {
  json::array volumes = co_await engine_.listVolumes(ownFilter(kLabelVolume), deadline);
  std::vector<std::string> ids;
  for (const json::value& volume : volumes) ids.push_back(engine::labelOf(volume, kLabelVolume));
  co_return ids;
}

awaitable<std::string> DockerBackend::ensureToolImage(Deadline deadline) {
  std::string tag = toHex(sha256(guest_tool_)).substr(0, 12);
  std::string name = "fly-emulator-tool:" + tag;
  async::KeyedLock::Guard guard = co_await locks_.acquire("image " + name, deadline);
  if (co_await engine_.inspectImage(name, deadline)) co_return name;
  engine::TarWriter tar;
  tar.addFile(kToolInImage.substr(1), 0755, guest_tool_);
  co_await engine_.importImage("fly-emulator-tool", tag, std::move(tar).finish(), deadline);
  co_return name;
}

awaitable<std::string> DockerBackend::runTool(std::vector<std::string> arguments, std::vector<HelperMount> mounts, Deadline deadline) {
  const std::string doing = format("{} a volume", arguments.front() == "copy" ? "copy" : "measure");
  co_await engine_.connect(deadline);
  json::array command{json::string(kToolInImage)};
  for (const std::string& word : arguments) command.push_back(json::string(word));
  json::array binds;
  for (const HelperMount& mount : mounts) {
    binds.push_back(json::object{{"Type", "volume"},
                                 {"Source", volumeName(id(), mount.volume)},
                                 {"Target", mount.path},
                                 {"ReadOnly", mount.readOnly},
                                 {"VolumeOptions", json::object{{"NoCopy", true}}}});
  }
  json::object host{{"NetworkMode", "none"}, {"Mounts", std::move(binds)}, {"CapAdd", json::array{"SYS_ADMIN", "DAC_READ_SEARCH"}}};
  json::object body{{"Image", co_await ensureToolImage(deadline)},
                    {"Cmd", std::move(command)},
                    {"Labels", json::object{{kLabelEmulator, id()}, {kLabelHelper, "true"}}},
                    {"HostConfig", std::move(host)}};
  std::string container = engine::orThrow(co_await engine_.createContainer({}, std::move(body), {}, deadline));
  auto output = co_await async::attempt(toolOutput(container, doing, deadline));
  co_await engine_.removeContainer(container, engine::AnonymousVolumes::Remove, Deadline::after(std::chrono::seconds(20)));
  if (!output) throw output.error();
  co_return std::move(*output);
}

awaitable<std::string> DockerBackend::toolOutput(std::string container, std::string doing, Deadline deadline) {
  engine::orThrow(co_await engine_.startContainer(container, deadline));
  auto exit_code = co_await engine_.awaitExit(container, deadline);
  auto frames = engine::orThrow(co_await engine_.readLogs(container, {}, deadline));
  std::string output;
  for (const engine::FrameReader::Frame& frame : frames) output += frame.data;
  if (exit_code == 0) co_return output;
  bool full = output.find("No space left") != std::string::npos;
  throw Error(full ? ErrorCode::OutOfResources : ErrorCode::UpstreamFailed, format("The emulator could not {}: {}", doing, output));
}

}  // namespace swarm::emulator
