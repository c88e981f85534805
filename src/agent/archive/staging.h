// Staging: the folder beside a storage's files in which an archive is unpacked, and the exchange of the two by renaming.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/tree/storages.h"

namespace swarm::agent {

/// The folder at a storage's top; owned by root and inaccessible to other users.
inline constexpr std::string_view kStagingName = ".swarm-import";

/// Until commit() the storages are unchanged, even if the process is killed. After it they become what was unpacked: recoverStaging() at
/// the next start completes the exchange. For one thread. Throws Error.
class Staging {
 public:
  /// `replaced`: the storages; `scope` also names the other mounts, which stay where they are within a storage. All paths are below `root`.
  /// `passed` is called after each durable step; for tests.
  Staging(std::vector<std::string> replaced, const transfer::Scope& scope, const std::filesystem::path& root,
          std::function<void()> passed = {});

  /// One per storage, sorted by path: `top` is the folder to unpack into.
  const std::vector<transfer::Storage>& staged() const { return staged_; }
  /// Why nothing can be unpacked at `path` below a storage; null if it can.
  const char* obstacle(std::size_t index, const std::string& path, bool is_folder) const;
  /// Records the facts of a storage's own top.
  void setTopFacts(std::size_t index, const transfer::Facts& facts, const transfer::Attributes& attributes);
  /// Makes the unpacked files durable and commits; then performs the exchange and removes the staging folders.
  void commit();
  bool isCommitted() const { return committed_; }
  /// Removes what was unpacked.
  void discard();

 private:
  void stage(std::size_t index);
  void setTopFacts(std::size_t index, const transfer::Storage& like);

  std::vector<transfer::Storage> storages_;
  std::vector<transfer::Storage> staged_;
  std::string plan_;
  std::function<void()> passed_;
  bool committed_ = false;
};

/// Completes or rolls back a killed import in these storages. Failures are logged, and retried at the next start.
void recoverStaging(const std::vector<std::string>& storages, const std::filesystem::path& root, std::function<void()> passed = {});

}  // namespace swarm::agent
