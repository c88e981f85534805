// Archives: a workspace's storages as one compressed tar, out and in.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "agent/activity.h"
#include "agent/exec_process.h"
#include "agent/hold.h"
#include "agent/service.h"
#include "model/archive.h"
#include "net/http_server.h"

namespace swarm::agent {

/// What Archives work with; all outlive it.
struct ArchiveParts {
  ExecContext& exec;
  Activity& activity;
  Hold& hold;
  const Service& vscode;
  std::filesystem::path root = "/";  ///< what the paths of storages are below; "/" but in tests
};

/// On one loop. Any number of exports; one import, for which the instance is held.
class Archives {
 public:
  explicit Archives(ArchiveParts parts) : parts_(std::move(parts)) {}

  /// The storage is not what it should be: everything is refused with this sentence.
  void refuse(std::string reason) { refusal_ = std::move(reason); }

  /// Answers POST /export: streams the archive. Only a whole one gets the end of its answer; a failed one ends with a mark that says why.
  awaitable<void> handleExport(net::Exchange& exchange);
  /// Answers PUT /import: what was in the archive's storages is replaced.
  awaitable<void> handleImport(net::Exchange& exchange);
  /// Whether the hold of the moment is an import's own. Then nobody else may hold or release.
  bool isImporting() const { return importing_; }

 private:
  ArchiveParts parts_;
  std::string refusal_;
  bool importing_ = false;
};

}  // namespace swarm::agent
