// Guarantees of the SQLite store only: a full disk, and no loss when it is killed.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <set>

#include "conformance/store/sqlite_fixture.h"
#include "sqlite/data_dir.h"

namespace swarm {
namespace {

using namespace test;
using testing::HasSubstr;

/// Writes until the disk is full; then checks the guarantees. `makeRoom` frees space. For a child process: returns its exit code.
int fillTheDisk(const std::filesystem::path& data, const std::function<void()>& makeRoom) {
  auto store = openSqliteStore(data);
  int saved = 0;
  std::optional<Error> full;
  for (; saved < 5000 && !full; ++saved) {
    try {
      run(store->putSetting("s" + std::to_string(saved), std::string(4000, 'v')));
    } catch (const Error& error) {
      full = error;
      --saved;
    }
  }
  if (!full) return 1;
  if (full->code() != ErrorCode::OutOfResources || !full->retryable()) {
    std::fprintf(stderr, "%s (%s)\n", full->what(), full->cause().c_str());
    return 2;
  }
  // Users read the message, administrators the cause.
  if (full->message().find(data.string()) != std::string::npos || full->cause().find(data.string()) == std::string::npos) return 3;
  auto big = [&](std::string name) -> awaitable<void> { co_await store->putSetting(name, std::string(200'000, 'v')); };
  std::vector<awaitable<void>> group;
  for (int i = 0; i < 10; ++i) group.push_back(big("big" + std::to_string(i)));
  for (const auto& error : runTogether(std::move(group)))
    if (!error || error->code() != ErrorCode::OutOfResources) return 4;
  for (int i = 0; i < saved; ++i)
    if (run(store->getSetting("s" + std::to_string(i))) != std::string(4000, 'v')) return 5;
  makeRoom();
  run(store->putSetting("after", "room"));
  store.reset();
  store = openSqliteStore(data);
  for (int i = 0; i < saved; ++i)
    if (run(store->getSetting("s" + std::to_string(i))) != std::string(4000, 'v')) return 6;
  if (run(store->getSetting("big0"))) return 7;
  if (run(store->getSetting("after")) != "room") return 8;
  return saved > 5 ? 0 : 9;
}

TEST_F(SqliteStore, losesNothingOnAFullDiskAndWorksAgainWithRoom) {
  std::filesystem::path mount = folder_.path() / "disk";
  std::filesystem::create_directory(mount);
  int code = runInChild([&] {
    // A small disk of its own, visible only to this child, and removed with it. Without root, a user namespace permits the mount.
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return 50;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=1m") != 0) return 51;
    return fillTheDisk(mount / "data", [&] { ::mount("tmpfs", mount.c_str(), "tmpfs", MS_REMOUNT, "size=16m"); });
  });
  EXPECT_NE(code, 50) << "this test needs the right to make a mount namespace: run it as root";
  EXPECT_NE(code, 51) << "this test needs the right to mount a tmpfs: run it as root";
  EXPECT_EQ(code, 0);
}

/// An exit code, as in fillTheDisk().
int checkAroundAFullDisk(const std::filesystem::path& mount) {
  const auto failure = [&]() -> std::optional<ErrorCode> {
    try {
      sqlite::DataDir::checkSpace(mount);
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  };
  if (failure()) return 1;
  const std::string block(64 * 1024, 'x');
  for (std::ofstream filler(mount / "filler"); filler << block << std::flush;) {
  }
  if (failure() != ErrorCode::OutOfResources) return 2;
  std::filesystem::remove(mount / "filler");
  if (failure()) return 3;
  if (::mount("tmpfs", mount.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) return 52;
  if (failure() != ErrorCode::Unavailable) return 4;
  if (::mount("tmpfs", mount.c_str(), "tmpfs", MS_REMOUNT, nullptr) != 0) return 53;
  return failure() || !std::filesystem::is_empty(mount) ? 5 : 0;
}

TEST(DataDir, reportsAFullOrReadOnlyDiskAndItsRecovery) {
  TempDir folder;
  int code = runInChild([&] {
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return 50;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=4m") != 0) return 51;
    return checkAroundAFullDisk(folder.path());
  });
  EXPECT_EQ(code, 0) << "50 to 53: run it as root";
}

TEST_F(SqliteStore, losesNothingAtAFileSizeLimitAndWorksAgainWithout) {
  int code = runInChild([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{1 << 20, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 50;
    return fillTheDisk(data(), [] {
      rlimit none{RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &none);
    });
  });
  EXPECT_EQ(code, 0);
}

TEST_F(SqliteStore, saysThatADiskIsFullWhenItIsOpenedThere) {
  std::filesystem::path mount = folder_.path() / "disk";
  std::filesystem::create_directory(mount);
  int code = runInChild([&] {
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return 50;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=64k") != 0) return 51;
    std::ofstream(mount / "filler") << std::string(60'000, 'x');
    try {
      openSqliteStore(mount / "data");
    } catch (const Error& error) {
      return error.code() == ErrorCode::OutOfResources ? 0 : 2;
    }
    return 1;
  });
  EXPECT_EQ(code, 0) << "50 and 51: run it as root";
}

/// Writes from many coroutines forever; each acknowledged write is one line on `acknowledged`.
void writeForEver(const std::filesystem::path& data, int acknowledged) {
  auto store = openSqliteStore(data);
  boost::asio::io_context context;
  auto writer = [](Store& target, int out, int number) -> awaitable<void> {
    for (int i = 0;; ++i) {
      std::string id = "i-" + std::to_string(number) + "-" + std::to_string(i);
      co_await target.insertInstance(makeRecord(id, id), makeOperation("op-" + id, id));
      std::string line = id + "\n";
      [[maybe_unused]] ssize_t written = ::write(out, line.data(), line.size());
    }
  };
  for (int i = 0; i < 8; ++i) boost::asio::co_spawn(context, writer(*store, acknowledged, i), boost::asio::detached);
  context.run();
}

/// Reads lines until there are `enough`, kills the writer, and reads the rest.
std::set<std::string> killAfter(pid_t child, int acknowledged, std::size_t enough) {
  std::string text;
  char buffer[4096];
  bool killed = false;
  for (;;) {
    ssize_t length = ::read(acknowledged, buffer, sizeof buffer);
    if (length <= 0) break;
    text.append(buffer, static_cast<std::size_t>(length));
    if (!killed && static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= enough) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  ::waitpid(child, nullptr, 0);
  std::set<std::string> lines;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.insert(text.substr(begin, end - begin));
  return lines;
}

TEST_F(SqliteStore, losesNoAcknowledgedWriteWhenItIsKilled) {
  auto seed = std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    std::filesystem::path folder = folder_.path() / ("round" + std::to_string(round));
    int pipes[2];
    ASSERT_EQ(::pipe(pipes), 0);
    pid_t child = ::fork();
    if (child == 0) {
      ::close(pipes[0]);
      writeForEver(folder, pipes[1]);
      ::_exit(1);
    }
    ::close(pipes[1]);
    std::set<std::string> acknowledged = killAfter(child, pipes[0], 1 + random() % 300);
    ::close(pipes[0]);
    ASSERT_FALSE(acknowledged.empty());

    auto store = openSqliteStore(folder);
    std::set<std::string> found;
    for (const InstanceRecord& record : run(store->loadInstances())) {
      found.insert(record.instance.id.str());
      EXPECT_EQ(record.external.size(), 2u) << "half a transaction";
    }
    for (const std::string& id : acknowledged) EXPECT_TRUE(found.contains(id)) << id << " was acknowledged and is lost";
    EXPECT_EQ(run(store->unfinishedOperations()).size(), found.size()) << "instance and operation came in one transaction";
  }
}

}  // namespace
}  // namespace swarm
