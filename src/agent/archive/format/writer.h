// ArchiveWriter: writes entries into one compressed POSIX tar that other programs can read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/archive/format/entry.h"

namespace swarm::agent {

/// Receives bytes in order. An exception aborts the work.
using ByteSink = std::function<void(std::string_view)>;

/// For one thread, from construction to destruction. Throws Error, and exceptions of the sink.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(ByteSink sink);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// Starts an entry. A file's content follows: exactly its size, in order, by write() and hole().
  void add(const ArchiveEntry& entry);
  void write(std::string_view data);
  void hole(std::int64_t length);
  /// A complete member that is not a file of the workspace.
  void addText(std::string_view name, std::string_view content);
  void finish();
  std::string digest() const;  ///< over all entries; not over texts

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
