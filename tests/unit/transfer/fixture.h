// A move within this process: two trees, two sessions, a link between them; and a listing of trees that is independent of the digest's
// code.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "support/coroutine_test.h"
#include "support/temp_dir.h"
#include "transfer/hash/hash_cache.h"
#include "transfer/rounds/session.h"
#include "transfer/wire/link.h"

namespace swarm::transfer {

namespace fs = std::filesystem;

/// One line for each path, with all that must be equal: type, mode, owner, times, size, content, link target, attributes, and which names
/// share a file. Sockets, pipes and devices are left out.
std::string listTree(const fs::path& top);
/// Disk usage of the files below, in bytes.
std::int64_t occupied(const fs::path& top);

void writeFile(const fs::path& path, std::string_view content);
std::string readFile(const fs::path& path);
void setTime(const fs::path& path, std::int64_t seconds, long nanoseconds = 0);
std::string noise(std::size_t bytes, unsigned seed);  ///< incompressible
std::size_t countThreads();                           ///< of this process

/// How the connection between an agent and the server is created; may insert a proxy.
using Wrap = std::function<net::StreamPtr(net::StreamPtr)>;

class Move {
 public:
  Move();

  fs::path source() const { return root_ / "source" / "data"; }
  fs::path target() const { return root_ / "target" / "data"; }
  fs::path sourceRoot() const { return root_ / "source"; }
  fs::path targetRoot() const { return root_ / "target"; }

  /// New sessions and a new link, with the agents' caches unchanged.
  std::unique_ptr<Link> connect(LinkOptions options = {}, Wrap source = {}, Wrap target = {});
  /// connect() and one round.
  RoundReport round(RoundKind kind = RoundKind::Live);
  /// Both digests, over a separate link.
  std::pair<DigestReport, DigestReport> digests();
  /// A round, then a check: the trees are equal by the listing and by the digests.
  RoundReport moveAndCheck(RoundKind kind = RoundKind::Final);
  void expectEqual();
  void forgetHashes();

  test::TestLoop& loop() { return loop_; }
  Scope scope{{"/data"}, {}};
  std::size_t pipeBytes = 64 * 1024;
  int running() const { return *running_; }
  HashCache& sourceHashes() { return *source_hashes_; }

 private:
  net::StreamPtr session(Role role, const Wrap& wrap);

  test::TempDir root_;  ///< in memory if there is space: syncfs() of a busy disk is slow
  std::unique_ptr<HashCache> source_hashes_ = std::make_unique<HashCache>();
  std::unique_ptr<HashCache> target_hashes_ = std::make_unique<HashCache>();
  std::shared_ptr<int> running_ = std::make_shared<int>(0);
  test::TestLoop loop_;
};

}  // namespace swarm::transfer
