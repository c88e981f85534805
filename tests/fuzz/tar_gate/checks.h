// What the fuzz target checks of one archive; a unit test replays the corpus through it. A broken invariant ends the process.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>
#include <string_view>

#include "agent/tar_gate.h"
#include "base/check.h"
#include "base/error.h"

namespace swarm::agent {

/// Sums are made right: what is behind a wrong one is not read, and no fuzzer guesses them.
inline std::string withRightSums(std::string_view input) {
  std::string archive(input);
  for (std::size_t at = 0; at + kTarBlock <= archive.size(); at += kTarBlock) {
    if (archive.compare(at + 257, 5, "ustar") != 0) continue;
    archive.replace(at + 148, 8, 8, ' ');
    unsigned sum = 0;
    for (std::size_t byte = 0; byte < kTarBlock; ++byte) sum += static_cast<unsigned char>(archive[at + byte]);
    for (int digit = 5; digit >= 0; --digit, sum /= 8)
      archive[at + 148 + static_cast<std::size_t>(digit)] = static_cast<char>('0' + sum % 8);
    archive[at + 154] = '\0';
  }
  return archive;
}

inline bool isInStorage(std::string_view name) {
  while (name.ends_with('/')) name.remove_suffix(1);
  if (name != "s" && !name.starts_with("s/")) return false;
  for (std::string_view rest = name; !rest.empty();) {
    std::size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return false;
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return true;
}

/// What passed, as another reader of tar understands it: nothing outside of the storage is named or linked to, and nothing is a device.
inline void checkPassed(const std::string& passed) {
  std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), passed.data(), passed.size()) != ARCHIVE_OK) return;
  for (archive_entry* entry = nullptr; archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK;) {
    const char* name = archive_entry_pathname(entry);
    const char* link = archive_entry_hardlink(entry);
    SWARM_CHECK(!name || isInStorage(name));
    SWARM_CHECK(!link || isInStorage(link));
    auto type = archive_entry_filetype(entry);
    SWARM_CHECK(type != AE_IFCHR && type != AE_IFBLK);
  }
}

inline void fuzzTarGate(std::string_view input) {
  std::string archive = withRightSums(input);
  // The same in one piece and in small ones.
  std::string whole, pieces;
  bool refused = false;
  TarGate gate, slow;
  gate.setStorages({"/s"});
  slow.setStorages({"/s"});
  try {
    gate.feed(archive, whole);
  } catch (const Error& error) {
    SWARM_CHECK(error.code() == ErrorCode::Unprocessable);
    refused = true;
  }
  try {
    for (std::size_t at = 0; at < archive.size(); at += 700) slow.feed(std::string_view(archive).substr(at, 700), pieces);
    SWARM_CHECK(!refused);
  } catch (const Error&) {
    SWARM_CHECK(refused);
  }
  SWARM_CHECK(whole == pieces);
  SWARM_CHECK(whole.size() <= archive.size());
  checkPassed(whole);
}

}  // namespace swarm::agent
