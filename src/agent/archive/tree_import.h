// importTree(): unpacks an archive into the staging folders of its storages.
#pragma once

#include "agent/archive/format/reader.h"
#include "agent/archive/staging.h"

namespace swarm::agent {

/// Reads the archive to its end, which proves that it is complete; writes only to the staging folders. No name leads through a symbolic
/// link, and no path is too long. Throws Error, and Stopped.
void importTree(ArchiveReader& reader, Staging& staging, const transfer::StopFlag& stop);

}  // namespace swarm::agent
