// What the fuzz target checks of one archive; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <string>
#include <string_view>

#include "agent/archive/format/reader.h"
#include "base/diagnostics/check.h"
#include "base/error.h"
#include "fuzz/archive_reader/tar_text.h"

namespace swarm::agent {

/// Sums are made right: what is behind a wrong one is not read, and no fuzzer guesses them.
inline std::string withRightSums(std::string_view input) {
  std::string archive(input);
  for (std::size_t at = 0; at + kTarBlock <= archive.size(); at += kTarBlock) {
    if (archive.compare(at + 257, 5, "ustar") == 0) putTarSum(archive, at);
  }
  return archive;
}

inline bool isInStorage(std::string_view name) {
  if (name != "s" && !name.starts_with("s/")) return false;
  for (std::string_view rest = name; !rest.empty();) {
    std::size_t slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return true;
}

/// What a reader has made of it: the digest of all that may be unpacked, or its refusal.
inline std::string readArchive(std::string_view archive, std::size_t piece) {
  std::string_view left = archive;
  ArchiveReader reader(
      [&] {
        std::string next(left.substr(0, piece));
        left.remove_prefix(next.size());
        return next;
      },
      ArchiveReader::Packing::None);
  try {
    reader.readManifest();
    reader.setStorages({"/s"});
    std::int64_t data = 0;
    while (auto entry = reader.next()) {
      SWARM_CHECK(isInStorage(entry->path));
      SWARM_CHECK(entry->kind != ArchiveKind::HardLink || isInStorage(entry->link));
      std::int64_t offset = 0;
      for (std::string_view bytes; reader.read(offset, bytes);) {
        SWARM_CHECK(entry->kind == ArchiveKind::File && offset >= 0);
        SWARM_CHECK(offset + static_cast<std::int64_t>(bytes.size()) <= entry->facts.size);
        data += static_cast<std::int64_t>(bytes.size());
      }
    }
    SWARM_CHECK(static_cast<std::size_t>(data) <= archive.size());
    return reader.digest();
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::Unprocessable);
    return "refused";
  }
}

/// The same in one piece and in small ones.
inline void fuzzArchiveReader(std::string_view input) {
  std::string archive = withRightSums(input);
  SWARM_CHECK(readArchive(archive, archive.size()) == readArchive(archive, 700));
}

}  // namespace swarm::agent
