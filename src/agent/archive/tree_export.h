// exportTree(): writes the storages of a workspace into an archive while they are in use.
#pragma once

#include "agent/archive/format/writer.h"
#include "model/archive.h"
#include "transfer/tree/storages.h"

namespace swarm::agent {

/// Walks over open directories and follows no link. A file has the size given in its header even if it changes during the export; changed
/// and vanished files are noted. Left out and noted: sockets, devices, other file systems, a file system's own lost+found. Throws Error for
/// unreadable entries, and Stopped.
void exportTree(const std::vector<transfer::Storage>& storages, ArchiveWriter& writer, ArchiveNotes& notes, const transfer::StopFlag& stop);

}  // namespace swarm::agent
