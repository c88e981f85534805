// No further thread can be created (a workspace at its process limit): what can continue does, and the rest reports the reason.
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "transfer/hash/hash_workers.h"
#include "transfer/wire/frame_stream.h"
#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

/// In a child process: the limit does not apply to root.
void forbidThreads() {
  constexpr uid_t unprivileged = 65534;
  const rlimit none{0, 0};
  if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setresgid(unprivileged, unprivileged, unprivileged) != 0 ||
                           ::setresuid(unprivileged, unprivileged, unprivileged) != 0))
    ::_exit(100);
  if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(101);
  try {
    std::thread([] {}).join();
    ::_exit(102);
  } catch (const std::system_error&) {
  }
}

/// How many of `files` get the same hash as with threads.
int hashed(const std::vector<Descriptor>& files, std::vector<Hash>& hashes) {
  HashCache cache;
  StopFlag stop;
  std::atomic<std::int64_t> bytes = 0;
  const Trust trust({}, Trust::Sync::WritersStopped);
  HashWorkers workers(cache, trust, stop, bytes);
  int found = 0;
  for (std::size_t index = 0; index < files.size(); ++index) {
    struct stat status{};
    ::fstat(files[index].get(), &status);
    auto take = [&, index](std::optional<FileHashes> result) {
      if (!result) return;
      if (hashes.size() <= index) hashes.push_back(result->content);
      found += hashes[index] == result->content ? 1 : 0;
    };
    workers.add(Descriptor(::dup(files[index].get())), status, take, [](int) {});
  }
  workers.finish();
  return found;
}

TEST(TransferAtTheLimit, filesAreHashedWithoutThreads) {
  test::TempDir folder;
  std::vector<Descriptor> files;
  for (int i = 0; i < 20; ++i) {
    fs::path path = folder.path() / std::to_string(i);
    writeFile(path, noise(100'000, static_cast<unsigned>(i)));
    files.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::vector<Hash> hashes;
  EXPECT_EQ(hashed(files, hashes), 20);
  EXPECT_EXIT(
      {
        forbidThreads();
        ::_exit(hashed(files, hashes));
      },
      testing::ExitedWithCode(20), "");
}

/// The message of a session that cannot create its thread.
std::string resultWithoutThreads() {
  test::TestLoop loop;
  HashCache cache;
  auto [near_end, far_end] = net::makePipe(loop.executor());
  loop.spawn(runSession(std::move(far_end), {Role::Source, &cache, "/"}));
  FrameReader reader(*near_end);
  auto frame = loop.run(reader.next());
  if (!frame || frame->kind != Kind::Failed) return "nothing";
  auto failure = decode<Failure>(frame->payload);
  return failure.code + ": " + failure.message;
}

TEST(TransferAtTheLimit, aSessionThatCanNotBeginSaysWhy) {
  EXPECT_EXIT(
      {
        forbidThreads();
        std::string result = resultWithoutThreads();
        ::_exit(result.starts_with("out_of_resources: ") && result.contains("limit is reached") ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace swarm::transfer
