// Translates a MachinePlan into the Engine's API. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "emulator/backend.h"
#include "engine/client.h"

namespace swarm::emulator {

/// The Engine's facts about an image.
struct ImageDetails {
  ImageFacts facts;
  std::string reference;  ///< its name at the Engine
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
};
ImageDetails readImage(std::string reference, const boost::json::value& inspection);

/// The references to try, in order: unchanged; for Fly's registry, also the last part of the name.
std::vector<std::string> imageCandidates(const std::string& image);

std::string containerName(std::string_view emulator_id, std::string_view machine_id);
std::string volumeName(std::string_view emulator_id, std::string_view volume_id);
std::string networkName(std::string_view emulator_id, std::string_view network);

/// The main process: config.init overrides the image's (§3).
std::vector<std::string> mainProcess(const MachinePlan& plan, const ImageDetails& image);

/// The body of POST /containers/create. The Engine refuses more CPUs than its machine has: then the Machine gets all of them.
boost::json::object machineBody(const MachinePlan& plan, const ImageDetails& image, std::string_view emulator_id,
                                const engine::Facts& engine);

/// The archive that is unpacked into the root file system before the start: the init, and the plan's files. Throws Error(Unprocessable) for
/// a path that is not absolute, contains "..", or is longer than 100 bytes.
std::string guestArchive(const MachinePlan& plan, std::string_view guest_tool);

/// A network's body; attempts 0, 1, … use different address ranges, -1 leaves the choice to the Engine.
boost::json::object networkBody(std::string_view emulator_id, const std::string& network, int attempt);

}  // namespace swarm::emulator
