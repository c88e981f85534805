// importTree(): what an archive holds, into the staging places of its storages.
#pragma once

#include "agent/archive/reader.h"
#include "agent/archive/staging.h"

namespace swarm::agent {

/// Reads the archive to its end, which proves it whole; nothing but the staging places is written to. No name leads through a symbolic
/// link, and no path is too long. Throws Error, and Stopped.
void importTree(ArchiveReader& reader, Staging& staging, const transfer::StopFlag& stop);

}  // namespace swarm::agent
