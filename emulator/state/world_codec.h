// The journal's documents, in the emulator's own format, not Fly's.
#pragma once

#include <boost/json/object.hpp>

#include "emulator/state/world.h"

namespace swarm::emulator {

json::object encodeApp(const App& app);
json::object encodeMachine(const Machine& machine);
json::object encodeVolume(const Volume& volume);

/// Throw boost::system::system_error for a document that no encode function wrote.
AppPtr decodeApp(const json::object& document);
MachinePtr decodeMachine(const json::object& document, World& world);
VolumePtr decodeVolume(const json::object& document, World& world);

}  // namespace swarm::emulator
