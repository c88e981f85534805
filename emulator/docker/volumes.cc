// Volumes, and the helper container that copies and measures them.
#include "async/lock/keyed_lock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_stream.h"
#include "provider/docker/engine/tar.h"

namespace swarm::emulator {
namespace {

using docker::EngineReply;

/// Measuring starts a container: results are cached for clients that poll.
constexpr std::chrono::seconds kUsedBytesMemory{15};
constexpr std::string_view kToolInImage = "/fly-guest-tool";

std::string lockOf(const std::string& volume_id) { return "volume " + volume_id; }

}  // namespace

awaitable<void> DockerBackend::requireVolume(std::string volume_id, Deadline deadline) {
  const std::string doing = "find a volume";
  EngineReply reply =
      co_await engine_.send({.target = format("/volumes/{}", volumeName(id(), volume_id)), .doing = doing, .body = {}}, deadline);
  if (reply.status == 404) throw Error(ErrorCode::NotFound, format("The volume {} does not exist.", volume_id));
  if (!reply.ok()) throw docker::engineError(reply.status, reply.body, doing);
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
  co_await engine_.call({.method = "POST", .target = "/volumes/create", .doing = "create a volume", .body = std::move(body)}, deadline);
}

awaitable<void> DockerBackend::destroyVolume(std::string volume_id, Deadline deadline) {
  async::KeyedLock::Guard guard = co_await locks_.acquire(lockOf(volume_id), deadline);  // no helper may use it
  co_await removeVolume(std::move(volume_id), deadline);
}

awaitable<void> DockerBackend::removeVolume(std::string volume_id, Deadline deadline) {
  const std::string doing = "remove a volume";
  used_bytes_.erase(volume_id);
  std::string target = "/volumes/" + volumeName(id(), volume_id);
  EngineReply reply = co_await engine_.send({.method = "DELETE", .target = std::move(target), .doing = doing, .body = {}}, deadline);
  if (!reply.ok() && reply.status != 404) throw docker::engineError(reply.status, reply.body, doing);
}

awaitable<void> DockerBackend::copyNow(std::string from_id, std::string to_id, Deadline deadline) {
  // In a fixed order, so that two copies cannot deadlock.
  async::KeyedLock::Guard first = co_await locks_.acquire(lockOf(std::min(from_id, to_id)), deadline);
  async::KeyedLock::Guard second = co_await locks_.acquire(lockOf(std::max(from_id, to_id)), deadline);
  co_await requireVolume(from_id, deadline);
  co_await removeVolume(to_id, deadline);  // an incomplete copy, left by a killed emulator
  co_await makeVolume(to_id, 0, deadline);
  std::optional<Error> failure;
  try {
    co_await runTool({"copy", "/from", "/to"}, {{from_id, "/from", true}, {to_id, "/to", false}}, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  if (!failure) co_return;
  co_await removeVolume(to_id, Deadline::after(std::chrono::seconds(10)));
  throw *failure;
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
  std::string target = "/volumes?" + docker::filterQuery(ownFilter(kLabelVolume));
  json::value answer = co_await engine_.call({.target = std::move(target), .doing = "list volumes", .body = {}}, deadline);
  std::vector<std::string> ids;
  const json::value* list = docker::member(answer, "Volumes");
  if (!list || !list->is_array()) co_return ids;
  for (const json::value& volume : list->as_array()) ids.emplace_back(docker::member(volume, "Labels")->at(kLabelVolume).as_string());
  co_return ids;
}

awaitable<std::string> DockerBackend::ensureToolImage(Deadline deadline) {
  const std::string doing = "create the image of the helper";
  std::string tag = toHex(sha256(guest_tool_)).substr(0, 12);
  std::string name = "fly-emulator-tool:" + tag;
  async::KeyedLock::Guard guard = co_await locks_.acquire("image " + name, deadline);
  EngineReply found = co_await engine_.send({.target = format("/images/{}/json", name), .doing = doing, .body = {}}, deadline);
  if (found.ok()) co_return name;
  docker::TarWriter tar;
  tar.addFile(kToolInImage.substr(1), 0755, guest_tool_);
  docker::EngineCall import{.method = "POST",
                            .target = "/images/create?fromSrc=-&repo=fly-emulator-tool&tag=" + tag,
                            .doing = doing,
                            .body = {},
                            .rawBody = std::move(tar).finish(),
                            .contentType = "application/x-tar"};
  EngineReply made = co_await engine_.send(std::move(import), deadline);
  if (!made.ok()) throw docker::engineError(made.status, made.body, doing);
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
  json::value made =
      co_await engine_.call({.method = "POST", .target = "/containers/create", .doing = doing, .body = std::move(body)}, deadline);
  std::string container = docker::stringAt(made, "Id");
  std::optional<Error> failure;
  std::string output;
  try {
    output = co_await toolOutput(container, doing, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  co_await removeContainer(container, Deadline::after(std::chrono::seconds(20)));
  if (failure) throw *failure;
  co_return output;
}

awaitable<std::string> DockerBackend::toolOutput(std::string container, std::string doing, Deadline deadline) {
  std::string target = "/containers/" + container;
  co_await engine_.call({.method = "POST", .target = target + "/start", .doing = doing, .body = {}}, deadline);
  json::value ended = co_await engine_.call({.method = "POST", .target = target + "/wait", .doing = doing, .body = {}}, deadline);
  docker::EngineCall logs{.target = target + "/logs?stdout=true&stderr=true", .doing = doing, .body = {}};
  EngineReply reply = co_await engine_.send(std::move(logs), deadline);
  if (!reply.ok()) throw docker::engineError(reply.status, reply.body, doing);
  docker::FrameReader frames;
  frames.add(reply.body);
  std::string output;
  while (auto frame = frames.next()) output += frame->data;
  if (docker::integerAt(ended, "StatusCode") == 0) co_return output;
  bool full = output.find("No space left") != std::string::npos;
  throw Error(full ? ErrorCode::OutOfResources : ErrorCode::UpstreamFailed, format("The emulator could not {}: {}", doing, output));
}

}  // namespace swarm::emulator
