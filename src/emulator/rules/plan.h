// What the backend is told of a Machine: configuration, secrets and what Fly injects, put together (§3).
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

MachinePlan planOf(const Machine& machine);
ImageReference parseImage(std::string_view reference);
std::string imageName(const ImageReference& image);  ///< registry/repository:tag
/// As the backend knows it: an answer's image_ref, which clients send back, names Docker Hub and the digest behind the tag.
std::string backendName(std::string_view reference);

}  // namespace swarm::emulator
