// ArchiveReader: what of an untrusted archive may be unpacked, entry by entry.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/archive/entry.h"
#include "model/archive.h"

namespace swarm::agent {

/// The next bytes of an archive, of any number; empty at its end. What it throws ends the reading.
using ByteSource = std::function<std::string()>;

/// Reads what `swarm export` writes, and has written. Every name, and every hard link's target, is inside one of the storages, without
/// ".."; devices are left out and noted; sizes and headers are bounded. Throws Error(Unprocessable) for all else. For one thread at a time.
class ArchiveReader {
 public:
  enum class Packing { Zstandard, None };
  explicit ArchiveReader(ByteSource source, Packing packing = Packing::Zstandard);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// The first member's content. Before anything else.
  std::string readManifest();
  /// Absolute paths, as the manifest has them. Before the first next().
  void setStorages(const std::vector<std::string>& storages);
  /// Nothing: that was all, and the archive is whole: its checksum and its digest are right, and its end is there.
  std::optional<ArchiveEntry> next();
  /// The next piece of a file's data; holes are not shown. False: that was all. An entry whose data was not asked for to its end is
  /// skipped.
  bool read(std::int64_t& offset, std::string_view& data);

  std::string digest() const;  ///< over what was read
  std::int64_t files() const;  ///< entries, so far
  std::int64_t bytes() const;  ///< of data, so far
  ArchiveNotes& notes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
