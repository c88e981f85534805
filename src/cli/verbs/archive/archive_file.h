// The local side of an export and an import: files that are written whole or not at all, archives that are checked before they are sent,
// and progress.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/context.h"

namespace swarm::cli {

/// The destination of an export. A file gets its name when the archive is complete, and is removed otherwise; what is not a regular file
/// (a pipe, a device, standard output) is written directly, and so is the target of a link.
class ArchiveTarget {
 public:
  /// "" and "-": standard output. Throws Error.
  explicit ArchiveTarget(const std::string& path);
  ~ArchiveTarget();
  ArchiveTarget(const ArchiveTarget&) = delete;
  ArchiveTarget& operator=(const ArchiveTarget&) = delete;

  void write(std::string_view bytes);
  void finish();

 private:
  void openThrough();
  void openPartial();

  std::string path_, partial_, shown_;
  int file_ = -1;
};

/// The archive to import, checked as far as possible before a workspace is created for it.
class ArchiveSource {
 public:
  /// "-": standard input. Throws Error.
  explicit ArchiveSource(const std::string& path);
  ~ArchiveSource();
  ArchiveSource(const ArchiveSource&) = delete;
  ArchiveSource& operator=(const ArchiveSource&) = delete;

  std::int64_t size() const { return size_; }  ///< 0: unknown
  std::string next();                          ///< empty at the end

 private:
  std::string read(std::size_t most);
  void checkEnd() const;

  std::string name_;
  int file_ = -1;
  std::string first_;
  std::int64_t size_ = 0;
};

/// One line with the progress on a terminal; nothing elsewhere.
class ByteProgress {
 public:
  ByteProgress(const Context& context, std::int64_t total) : live_(context.stderrIsTerminal()), total_(total) {}
  ~ByteProgress();
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;
  void add(std::size_t bytes);

 private:
  bool live_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
};

void reportNotes(const ArchiveNotes& notes);

}  // namespace swarm::cli
