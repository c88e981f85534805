// The backend's plan of a Machine: configuration, secrets and Fly's own variables, combined (§3).
#pragma once

#include "emulator/rules/core.h"

namespace swarm::emulator {

MachinePlan planOf(const Machine& machine);
ImageReference parseImage(std::string_view reference);
std::string imageName(const ImageReference& image);  ///< registry/repository:tag
/// The backend's name for it: a response's image_ref, which clients send back, contains Docker Hub and the digest after the tag.
std::string backendName(std::string_view reference);

}  // namespace swarm::emulator
