// Archives: export and import of a workspace's storages as one compressed tar.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/exec/exec_process.h"
#include "agent/monitor/activity.h"
#include "agent/server/service.h"
#include "agent/workspace/hold.h"
#include "net/http/http_server.h"

namespace swarm::agent {

/// The dependencies of Archives; all outlive it.
struct ArchiveParts {
  ExecContext& exec;
  Activity& activity;
  Hold& hold;
  const Service& vscode;
  std::string gitConfig{};           ///< the ~/.gitconfig that Setup writes: an import may replace it
  std::filesystem::path root = "/";  ///< prefix of all storage paths; "/" except in tests
  std::vector<std::string> kept{};   ///< absolute folders that are in no archive, and that an import leaves as they are
};

/// Those of `kept` that exist and are not reached through a link: a link on the way is an ordinary file of the user.
std::vector<std::string> keptFolders(const ArchiveParts& parts);

/// On one loop. Any number of exports; one import, for which the instance is held.
class Archives {
 public:
  explicit Archives(ArchiveParts parts) : parts_(std::move(parts)) {}

  /// The storage is unusable: every request is refused with this sentence.
  void refuse(std::string reason) { refusal_ = std::move(reason); }

  /// Handles POST /export: streams the archive. Only a complete archive gets the end of its response; a failed one ends with a mark that
  /// contains the reason.
  awaitable<void> handleExport(net::Exchange& exchange);
  /// Handles PUT /import: replaces the contents of the archive's storages.
  awaitable<void> handleImport(net::Exchange& exchange);
  /// Whether the current hold belongs to an import. Then other requests may neither hold nor release.
  bool isImporting() const { return importing_; }

 private:
  ArchiveParts parts_;
  std::string refusal_;
  bool importing_ = false;
};

}  // namespace swarm::agent
