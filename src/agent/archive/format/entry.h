// ArchiveEntry: one entry of an archive; and the digest over all entries.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/tree/content.h"
#include "transfer/wire/messages.h"

struct XXH3_state_s;

namespace swarm::agent {

enum class ArchiveKind { Directory, File, Symlink, Fifo, HardLink };

struct ArchiveEntry {
  std::string path;  ///< as in the archive: "home/coder/a"
  ArchiveKind kind = ArchiveKind::File;
  transfer::Facts facts;            ///< meaningless for a HardLink
  transfer::Attributes attributes;  ///< of directories and files
  std::string link;                 ///< target of a Symlink; path of a HardLink's first name
  /// Writing a File: its data ranges; the rest is holes.
  std::vector<transfer::Extent> data = {};
};

/// Covers paths, kinds, links, sizes and data: the writer and the reader of an archive compute the same value.
class ArchiveDigest {
 public:
  ArchiveDigest();
  void add(const ArchiveEntry& entry);
  void add(std::int64_t offset, std::string_view data);  ///< of the last entry added, in order, in pieces of any size
  std::string text() const;

 private:
  void addNumber(std::uint64_t number);
  std::unique_ptr<XXH3_state_s, void (*)(XXH3_state_s*)> state_;
  std::int64_t next_ = 0;  ///< where contiguous data would continue
};

}  // namespace swarm::agent
