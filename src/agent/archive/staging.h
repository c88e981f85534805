// Staging: the place beside a storage's files in which an archive is unpacked, and the exchange of the two by renaming.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/storages.h"

namespace swarm::agent {

/// The folder at a storage's top; root's, and no one else's to look into.
inline constexpr std::string_view kStagingName = ".swarm-import";

/// Until commit() the storages are as they were, and whatever ends the process leaves them so. After it they become what was unpacked:
/// recoverStaging() at the next start finishes what was begun. For one thread. Throws Error.
class Staging {
 public:
  /// `replaced`: the storages; `scope` also names the other mounts, which stay where they lie within a storage. `root` is what all paths
  /// are below. `passed` is called after each step that is on the disk; for tests.
  Staging(std::vector<std::string> replaced, const transfer::Scope& scope, const std::filesystem::path& root,
          std::function<void()> passed = {});

  /// One for each storage, sorted by path: `top` is the folder to unpack into.
  const std::vector<transfer::Storage>& places() const { return places_; }
  /// Why something can't be unpacked at `path` below a storage; null: it can.
  const char* obstacle(std::size_t place, const std::string& path, bool is_folder) const;
  /// Takes the facts of a storage's own top.
  void setTopFacts(std::size_t place, const transfer::Facts& facts, const transfer::Attributes& attributes);
  /// All of it is on the disk, and it is decided. Then the exchange, at the end of which nothing of the staging is left.
  void commit();
  bool isCommitted() const { return committed_; }
  /// Removes what was unpacked.
  void discard();

 private:
  void stage(std::size_t place);
  void setTopFacts(std::size_t place, const transfer::Storage& like);
  void step() const;

  std::vector<transfer::Storage> storages_;
  std::vector<transfer::Storage> places_;
  std::string plan_;
  std::function<void()> passed_;
  bool committed_ = false;
};

/// Finishes or undoes what an import that was killed has left in these storages. What can't be is logged, and stays for the next time.
void recoverStaging(const std::vector<std::string>& storages, const std::filesystem::path& root, std::function<void()> passed = {});

}  // namespace swarm::agent
