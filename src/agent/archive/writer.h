// ArchiveWriter: entries into one compressed POSIX tar, as other programs read it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/archive/entry.h"
#include "agent/archive/zip.h"

namespace swarm::agent {

/// For one thread, from its making to its end. Throws Error, and what the sink throws.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(ByteSink sink);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// Begins an entry. A file's content follows: exactly its size, in order, by write() and hole().
  void add(const ArchiveEntry& entry);
  void write(std::string_view data);
  void hole(std::int64_t length);
  /// A whole member that is no file of the workspace's.
  void addText(std::string_view name, std::string_view content);
  void finish();
  std::string digest() const;  ///< over all entries; not over texts

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
