// What a workspace's archive holds beside its files, and the mark at its end: agent, server and client agree on it here.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm {

inline constexpr std::int64_t kArchiveFormat = 1;
inline constexpr std::string_view kArchiveManifest = "swarm-workspace.json";     ///< name of the archive's first member
inline constexpr std::string_view kArchiveNotes = "swarm-workspace-notes.json";  ///< name of its last one
inline constexpr std::string_view kArchiveType = "application/zstd";

struct ArchiveNote {
  std::string path;    ///< for display: bytes that are not text are escaped
  std::string reason;  ///< "socket ignored"
};

/// What an export or import left out or changed. At most kMaxArchiveNotes are kept, all are counted.
struct ArchiveNotes {
  std::vector<ArchiveNote> notes;
  std::int64_t count = 0;
  std::string failure = {};  ///< at an archive's end: why it is not whole
  std::string digest = {};   ///< at an archive's end: over all that is in it, for its reader to compare; empty: an older agent wrote it
  void add(std::string path, std::string reason);
};
inline constexpr std::size_t kMaxArchiveNotes = 200;

boost::json::object toJson(const ArchiveNotes& notes);
ArchiveNotes archiveNotesFromJson(const boost::json::value& json);  ///< what is missing or wrong is left out

/// The mark behind the last byte of an archive: a skippable frame of Zstandard, so that every tool reads over it, with the notes. Only a
/// whole archive ends with one that has no `failure`.
std::string makeEndMark(const ArchiveNotes& notes);
/// From the last bytes of an archive (kLongestEndMark are always enough). Nothing: there is no mark, it was cut.
std::optional<ArchiveNotes> findEndMark(std::string_view tail);
inline constexpr std::size_t kLongestEndMark = 256 * 1024;

/// Whether this is how a Zstandard stream begins.
bool looksCompressed(std::string_view head);

}  // namespace swarm
