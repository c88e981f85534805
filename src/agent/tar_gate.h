// TarGate: what of an untrusted archive may reach tar. It reads every header before tar does.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/archive.h"

namespace swarm::agent {

inline constexpr std::size_t kTarBlock = 512;

/// One small regular file as tar has it: header, content, padding.
std::string tarMember(std::string_view name, std::string_view content, std::int64_t modified);

/// Takes a POSIX tar stream as `swarm export` makes it, in pieces of any size; gives what tar may unpack. Pure. Every name, and every
/// target of a hard link, must be inside one of the storages, without "..", so that nothing is written or linked elsewhere; devices are
/// left out and noted; what such an archive has no use for (other dialects' long names, global headers, volumes) is refused. tar itself
/// guards against ways through symbolic links. The archive's own two members are kept back.
class TarGate {
 public:
  /// `storages`: absolute paths; set before the second member comes (setStorages()), for the first one says which there are.
  TarGate() = default;
  void setStorages(std::vector<std::string> storages);

  /// Appends to `out` what may pass. Throws Error(Unprocessable). Stops before the second member until the storages are set: what it did
  /// not take yet it takes with the next call.
  void feed(std::string_view bytes, std::string& out);
  /// The first member's content, once it is there.
  const std::optional<std::string>& manifest() const { return manifest_; }
  bool ended() const { return state_ == State::Ended; }  ///< the mark at the end of the archive was seen
  std::int64_t files() const { return files_; }
  std::int64_t bytes() const { return bytes_; }  ///< of content
  ArchiveNotes& notes() { return notes_; }

 private:
  enum class State { Header, Extended, Own, Pass, Drop, Ended };
  /// What the extended header says that counts for the member behind it.
  struct Extended {
    std::optional<std::string> path, link, sparseName;
    std::optional<std::uint64_t> size, sparseMajor, sparseMinor;
    bool sparse = false;
  };

  bool step(std::string& out);
  void takeHeader(std::string_view block, std::string& out);
  void takeMember(std::string_view block, char type, std::uint64_t size, std::string& out);
  void takeExtended();
  void noteRecord(std::string_view key, std::string_view value);
  void checkName(std::string_view name) const;
  bool isInside(std::string_view name) const;

  State state_ = State::Header;
  std::string pending_;     // what came and was not taken
  std::size_t taken_ = 0;   // of it, within feed()
  std::string held_back_;   // an extended header, until the member behind it is known to pass
  std::string collected_;   // content of an extended header or of an own member
  std::uint64_t left_ = 0;  // of the member's content, with padding
  std::uint64_t padding_ = 0;
  Extended extended_;
  std::vector<std::string> storages_;  // without the first "/"
  bool storages_known_ = false;
  std::optional<std::string> manifest_;
  int empty_blocks_ = 0;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  ArchiveNotes notes_;
};

}  // namespace swarm::agent
