// ArchiveReader: reads an untrusted archive entry by entry, and admits only entries that may be unpacked.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/archive/format/entry.h"
#include "model/archive.h"

namespace swarm::agent {

/// The next bytes of an archive, of any length; empty at its end. An exception ends the reading.
using ByteSource = std::function<std::string()>;

/// Reads the archives of current and earlier versions of `swarm export`. Every name, and every hard link's target, is inside one of the
/// storages, without ".."; devices are skipped and noted; sizes and headers are bounded. Throws Error(Unprocessable) for anything else. For
/// one thread at a time.
class ArchiveReader {
 public:
  enum class Packing { Zstandard, None };
  explicit ArchiveReader(ByteSource source, Packing packing = Packing::Zstandard);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// The content of the first member. To be called first.
  std::string readManifest();
  /// Absolute paths, as in the manifest. To be called before the first next().
  void setStorages(const std::vector<std::string>& storages);
  /// Empty at the end, when the archive is complete: its checksum and digest match, and its end is present.
  std::optional<ArchiveEntry> next();
  /// The next piece of a file's data; holes are omitted. False at the end. Data of an entry that was not read to its end is skipped.
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
