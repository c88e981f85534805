// ArchiveEntry: one thing in an archive; and the digest over all of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/content.h"
#include "transfer/messages.h"

namespace swarm::agent {

enum class ArchiveKind { Directory, File, Symlink, Fifo, HardLink };

struct ArchiveEntry {
  std::string path;  ///< as in the archive: "home/coder/a"
  ArchiveKind kind = ArchiveKind::File;
  transfer::Facts facts;            ///< meaningless for a HardLink
  transfer::Attributes attributes;  ///< of directories and files
  std::string link;                 ///< target of a Symlink; path of a HardLink's first name
  /// Writing a File: where it has data; all else is holes.
  std::vector<transfer::Extent> data = {};
};

/// Over paths, kinds, links, sizes and data: the same for whoever wrote an archive and whoever has read it.
class ArchiveDigest {
 public:
  ArchiveDigest();
  ~ArchiveDigest();
  ArchiveDigest(const ArchiveDigest&) = delete;
  ArchiveDigest& operator=(const ArchiveDigest&) = delete;
  void add(const ArchiveEntry& entry);
  void add(std::int64_t offset, std::string_view data);  ///< of the entry added last, in order, in pieces of any size
  std::string text() const;

 private:
  void addNumber(std::uint64_t number);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
