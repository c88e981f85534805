// previewInstance: the checks of a create, and what a create would find, without making anything.
#include <cmath>

#include "base/text/format.h"
#include "provider/docker/container/container_changes.h"
#include "provider/docker/container/request_policy.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {
namespace {

/// A registry that says nothing for this long is no answer; a pull would wait longer.
constexpr std::chrono::seconds kRegistryPatience{20};
constexpr std::size_t kMostChanges = 1024 * 1024;  ///< of the Engine's answer: some ten thousand paths

template <typename Check>
void collect(PlacementPreview& preview, Check check) {
  try {
    check();
  } catch (const Error& error) {
    preview.problems.push_back(error.message());
  }
}

}  // namespace

awaitable<void> DockerProvider::previewImage(std::string image, PlacementPreview& preview, Deadline deadline) {
  preview.image = image;
  std::string name = net::percentEncode(image);
  EngineReply reply = co_await engine_.send({.target = "/images/" + name + "/json", .doing = "look for the image", .body = {}}, deadline);
  if (reply.status != 404 && !reply.ok()) throw engineError(reply.status, reply.body, "look for the image");
  preview.imageFound = reply.ok();
  preview.imageDetail = format("The Docker Engine has the image {}.", image);
  if (preview.imageFound) co_return;
  std::optional<Error> missing;
  if (isLocalOnly(image, engine_.config())) {
    missing = imageMissing(image, "", true);
  } else if (!isImageAllowed(image, engine_.config())) {
    try {
      checkImage(image, engine_.config());
    } catch (const Error& error) {
      missing = error;
    }
  } else {
    // The Engine asks the image's registry, as a pull would.
    EngineCall call{.target = "/distribution/" + name + "/json", .doing = "ask the image's registry", .body = {}};
    try {
      EngineReply asked = co_await engine_.send(std::move(call), deadline.orAfter(kRegistryPatience));
      if (!asked.ok()) missing = imageMissing(image, pullTrouble(asked.body), false);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw;
      missing = imageMissing(image, "its registry does not answer", false);
    }
  }
  preview.imageFound = !missing;
  preview.imageDetail = missing ? missing->message() : format("The image {} is not on the Docker Engine yet and can be pulled.", image);
  if (missing) preview.problems.push_back(missing->message());
}

awaitable<void> DockerProvider::previewVolumes(const InstanceSpec& spec, PlacementPreview& preview, Deadline deadline) {
  for (const StorageConfig& storage : spec.config.storage) {
    if (storage.volumeName.empty()) continue;  // its name holds the instance's id: there is none yet, or it is this instance's
    const std::string doing = format("look at the volume {}", storage.volumeName);
    EngineReply found =
        co_await engine_.send({.target = "/volumes/" + net::percentEncode(storage.volumeName), .doing = doing, .body = {}}, deadline);
    if (found.status == 404) continue;
    if (!found.ok()) throw engineError(found.status, found.body, doing);
    collect(preview, [&] { checkTaken(found.json(doing), storage.volumeName, spec, swarm_id_); });
  }
}

awaitable<std::optional<ReplacementLoss>> DockerProvider::previewReplacement(std::string instance_id, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(std::move(instance_id), deadline);
  EngineCall call{.target = format("/containers/{}/changes", details.id), .doing = "tell what was changed in the container", .body = {}};
  auto exchange = co_await engine_.open(std::move(call), deadline);
  std::string answer;
  bool is_cut = false;
  for (;;) {
    std::string piece = co_await exchange->read(deadline);
    if (piece.empty()) break;
    answer += piece;
    is_cut = answer.size() > kMostChanges;
    if (is_cut) break;
  }
  co_return readChanges(answer, is_cut, details.mountPaths);
}

awaitable<PlacementPreview> DockerProvider::previewInstance(InstanceSpec spec, Deadline deadline) {
  co_await engine_.connect(deadline);
  PlacementPreview preview;
  preview.region = engine_.config().name;
  preview.resources = spec.config.resources;
  CpuConfig& cpu = preview.resources.cpu;
  if (cpu.limit <= 0) cpu.limit = std::llround(cpu.cores * 1000);
  preview.costNotes.push_back("The Docker Engine's machine is there anyway: nothing more is billed.");
  collect(preview, [&] { checkHost(spec, engine_.config()); });
  collect(preview, [&] { checkResources(spec.config.resources, engine_.facts()); });
  collect(preview, [&] { checkNetwork(spec, engine_); });
  std::size_t before = preview.problems.size();
  collect(preview, [&] { checkStorage(spec); });
  if (before == preview.problems.size()) co_await previewVolumes(spec, preview, deadline);  // names that can be asked for
  co_await previewNetwork(spec, preview, deadline);
  co_await previewImage(spec.config.image, preview, deadline);
  co_return preview;
}

}  // namespace swarm::docker
