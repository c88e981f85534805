// exportTree(): the storages of a workspace into an archive, as they are while they are read.
#pragma once

#include "agent/archive/writer.h"
#include "model/archive.h"
#include "transfer/storages.h"

namespace swarm::agent {

/// Walks over open directories and follows no link. A file is as long in the archive as its header says, whatever happens to it meanwhile:
/// what changes or vanishes is noted. Left out and noted: sockets, devices, other file systems, a file system's own lost+found. Throws
/// Error for what can't be read, and Stopped.
void exportTree(const std::vector<transfer::Storage>& storages, ArchiveWriter& writer, ArchiveNotes& notes, const transfer::StopFlag& stop);

}  // namespace swarm::agent
