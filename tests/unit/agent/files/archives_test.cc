// Export and import through the agent's port: what is preserved, what is reported, what is refused, and the state after a lost connection.
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "agent/process/all_processes.h"
#include "async/deadline.h"
#include "async/notifier.h"
#include "base/error.h"
#include "base/text/format.h"
#include "fuzz/archive_reader/tar_text.h"
#include "model/archive.h"
#include "unit/agent/fixture.h"
#include "unit/agent/shell.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;

/// In the format of linux/posix_acl_xattr.h: version 2, then tag, permissions and id of the owner, user 1234, the group, the mask, the
/// others.
constexpr const char* kAccessList = "system.posix_acl_access";
const std::string kOneMoreUser = [] {
  std::string bytes{2, 0, 0, 0};
  for (auto [tag, permissions, id] : {std::tuple{0x01, 6, -1}, {0x02, 4, 1234}, {0x04, 4, -1}, {0x10, 4, -1}, {0x20, 4, -1}}) {
    bytes += {static_cast<char>(tag), 0, static_cast<char>(permissions), 0};
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(id >> shift & 0xff);
  }
  return bytes;
}();

class ArchivesTest : public AgentTest {
 protected:
  ArchivesTest() { fs::create_directories(home()); }

  fs::path root() const { return folder / "root"; }
  fs::path home() const { return folder / "root/home/coder"; }
  Deadline soon() const { return Deadline::after(kPatience); }

  struct Received {
    std::string bytes;
    bool whole = false;
    std::optional<ArchiveNotes> mark;
  };
  Received receive(std::vector<std::string> storages = {"/home/coder"}, std::vector<std::string> excluded = {}) {
    return await([](AgentTarget where, ArchivePlaces places) -> awaitable<Received> {
      Received got;
      auto exchange = co_await openExport(where, {{"name", "web1"}}, std::move(places), Deadline::after(kPatience));
      try {
        for (std::string piece = co_await exchange->read(Deadline::after(kPatience)); !piece.empty();
             piece = co_await exchange->read(Deadline::after(kPatience))) {
          got.bytes += piece;
        }
        got.whole = true;
      } catch (const Error&) {
        // The connection was cut.
      }
      got.mark = findEndMark(got.bytes);
      co_return got;
    }(target(), {std::move(storages), std::move(excluded)}));
  }
  boost::json::object put(std::string bytes, bool force = true, std::vector<std::string> storages = {"/home/coder"}) {
    auto left = std::make_shared<std::string>(std::move(bytes));
    ArchiveSource source = [left](Deadline) -> awaitable<std::string> {
      std::string piece = left->substr(0, 50'000);
      left->erase(0, piece.size());
      co_return piece;
    };
    return await(importArchive(target(), {std::move(storages), {}}, force, std::move(source)));
  }
  void expectRefused(ErrorCode code, std::string_view part, std::function<void()> call) {
    try {
      call();
      ADD_FAILURE() << "it was accepted, not refused with: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      EXPECT_THAT(error.message(), testing::HasSubstr(std::string(part)));
    }
    EXPECT_FALSE(hold.closed()) << "it is released in any case";
  }

  /// The contents of the storage, listed by standard tools.
  std::string listing() {
    return shell(
        format("cd '{}' && find . -printf '%y %m %U %G %n %T@ %l ' -print0 | sort -z | od -c && find . -type f -print0 | sort -z | "
               "xargs -0 -r sha256sum && (getfattr -dhR -m '^user' . 2>/dev/null || true)",
               home().string()));
  }
  std::string packed(const std::string& tar) {
    writeFile(folder / "made.tar", tar);
    shell(format("zstd -qf '{0}' -o '{0}.zst'", (folder / "made.tar").string()));
    return readFile(folder / "made.tar.zst");
  }
  std::string manifest(std::string storages = R"(["/home/coder"])") {
    return tarMember(kArchiveManifest, format(R"({{"format":1,"name":"web1","storages":{}}})", storages));
  }
  static std::string end() { return tarEnd(); }
};

TEST_F(ArchivesTest, whatComesInIsWhatWentOut) {
  startVscode();
  shell(format(
      R"sh(cd '{}' && mkdir -p deep/a deep/b && echo text > deep/a/file && : > empty && ln deep/a/file deep/b/hard && ln -s /etc/passwd absolute &&
    ln -s ../../loop deep/loop && ln -P absolute deep/absolute && touch -d '2001-02-03 04:05:06.123456789' old && chmod 4755 old && printf x > "$(printf 'new\nline')" &&
    printf y > "$(printf 'bad\377utf')" && truncate -s 3M holes && printf z | dd of=holes bs=1 seek=2000000 conv=notrunc status=none && mkfifo fifo &&
    mkdir -m 700 closed && head -c 3000000 /dev/urandom > random && head -c 1024 /dev/zero > zzz-zeros)sh",
      home().string()));
  bool attributes = ::setxattr((home() / "old").c_str(), "user.note", "kept", 4, 0) == 0;
  bool lists = ::setxattr((home() / "empty").c_str(), kAccessList, kOneMoreUser.data(), kOneMoreUser.size(), 0) == 0;
  auto before = listing();
  auto got = receive();
  ASSERT_TRUE(got.whole);
  ASSERT_TRUE(got.mark);
  EXPECT_EQ(got.mark->failure, "");
  EXPECT_EQ(got.mark->count, 0) << boost::json::serialize(toJson(*got.mark));
  shell(format("rm -rf '{0}' && mkdir '{0}' && touch '{0}/later'", home().string()));
  auto response = put(got.bytes);
  EXPECT_EQ(response.at("workspace").as_string(), "web1");
  EXPECT_EQ(response.at("count").as_int64(), 0) << boost::json::serialize(response);
  EXPECT_EQ(listing(), before);
  if (attributes) {
    char value[8]{};
    EXPECT_EQ(::getxattr((home() / "old").c_str(), "user.note", value, sizeof(value)), 4);
  }
  if (lists) {
    std::string value(256, '\0');
    ssize_t size = ::getxattr((home() / "empty").c_str(), kAccessList, value.data(), value.size());
    EXPECT_EQ(value.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0))), kOneMoreUser);
  }
  EXPECT_TRUE(attributes || lists) << "no file system with attributes: nothing of them was tested";
  struct stat status{};
  ASSERT_EQ(::stat((home() / "holes").c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, 1'000'000) << "a hole stays one";
  EXPECT_TRUE(vscode.ready()) << "it was started again";
  EXPECT_EQ(await(getHealth(target(), soon())).held, "");
}

TEST_F(ArchivesTest, anArchiveIsReadByStandardTools) {
  writeFile(home() / "file", "text");
  auto got = receive();
  writeFile(folder / "a.tar.zst", got.bytes);
  auto file = (folder / "a.tar.zst").string();
  shell(format("zstd -qt '{}'", file));
  auto names = shell(format("zstd -qdc '{}' | tar -t", file));
  EXPECT_EQ(names, "swarm-workspace.json\nhome/coder/\nhome/coder/file\nswarm-workspace-notes.json\n");
  auto text = shell(format("zstd -qdc '{}' | tar -xO swarm-workspace.json", file));
  EXPECT_THAT(text, testing::HasSubstr(R"("storages":["/home/coder"])"));
  EXPECT_THAT(text, testing::HasSubstr(R"("name":"web1")"));
}

TEST_F(ArchivesTest, socketsAreLeftOutAndReported) {
  int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto path = (home() / "s").string();
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  auto got = receive();
  ::close(socket);
  ASSERT_TRUE(got.whole && got.mark);
  ASSERT_EQ(got.mark->count, 1);
  EXPECT_EQ(got.mark->notes[0].path, "home/coder/s");
  EXPECT_EQ(got.mark->notes[0].reason, "socket ignored");
  writeFile(folder / "a.tar.zst", got.bytes);
  EXPECT_THAT(shell(format("zstd -qdc '{}' | tar -xO swarm-workspace-notes.json", (folder / "a.tar.zst").string())),
              testing::HasSubstr("socket ignored"));
}

TEST_F(ArchivesTest, storagesWithinStoragesAreThereOnceAndOtherMountsNever) {
  writeFile(home() / "one", "1");
  writeFile(home() / "inner/two", "2");
  writeFile(home() / "scratch/three", "3");
  auto got = receive({"/home/coder", "/home/coder/inner"}, {"/home/coder/scratch"});
  writeFile(folder / "a.tar.zst", got.bytes);
  auto names = shell(format("zstd -qdc '{}' | tar -t | sort", (folder / "a.tar.zst").string()));
  EXPECT_EQ(names,
            "home/coder/\nhome/coder/inner/\nhome/coder/inner/two\nhome/coder/one\nswarm-workspace-notes.json\nswarm-workspace.json\n");
}

TEST_F(ArchivesTest, theHostKeysOfAWorkspaceAreInNoArchiveAndSurviveAnImport) {
  writeFile(home() / ".config/swarm/setup.sh", "theirs");
  writeFile(home() / ".config/swarm/ssh/i-test_ed25519", "the key");
  writeFile(home() / "one", "1");
  auto got = receive();
  writeFile(folder / "a.tar.zst", got.bytes);
  EXPECT_THAT(shell(format("zstd -qdc '{}' | tar -t", (folder / "a.tar.zst").string())),
              testing::AllOf(testing::HasSubstr("setup.sh"), testing::Not(testing::HasSubstr("i-test"))));
  writeFile(home() / "two", "2");
  put(std::move(got.bytes));
  EXPECT_EQ(readFile(home() / ".config/swarm/ssh/i-test_ed25519"), "the key");
  EXPECT_EQ(readFile(home() / ".config/swarm/setup.sh"), "theirs");
  EXPECT_EQ(readFile(home() / "one"), "1");
  EXPECT_FALSE(fs::exists(home() / "two"));
}

TEST_F(ArchivesTest, aLinkOnTheWayToTheHostKeysIsAFileOfTheUser) {
  fs::create_directories(home() / "dotfiles");
  fs::create_symlink("dotfiles", home() / ".config");
  auto got = receive();
  fs::remove(home() / ".config");
  put(std::move(got.bytes));
  EXPECT_EQ(fs::read_symlink(home() / ".config"), "dotfiles");
}

TEST_F(ArchivesTest, anExportThatFailsGivesTheReasonAndIsIncomplete) {
  shell(format("head -c 20000000 /dev/urandom > '{}'", (home() / "random").string()));
  auto got = await([](AgentTarget where, Hold& the_hold) -> awaitable<Received> {
    Received seen;
    auto exchange = co_await openExport(where, {}, {{"/home/coder"}, {}}, Deadline::after(kPatience));
    try {
      for (std::string piece = co_await exchange->read(Deadline::after(kPatience)); !piece.empty();
           piece = co_await exchange->read(Deadline::after(kPatience))) {
        if (seen.bytes.empty()) co_await the_hold.hold("op-move", "It moves.");
        seen.bytes += piece;
      }
      seen.whole = true;
    } catch (const Error&) {
      // The expected failure.
    }
    seen.mark = findEndMark(seen.bytes);
    co_return seen;
  }(target(), hold));
  EXPECT_FALSE(got.whole);
  ASSERT_TRUE(got.mark);
  EXPECT_EQ(got.mark->failure, "It moves.");
  writeFile(folder / "a.tar.zst", got.bytes);
  EXPECT_EQ(shell(format("zstd -qt '{}' 2>/dev/null || echo broken", (folder / "a.tar.zst").string())), "broken\n");
}

TEST_F(ArchivesTest, aClientThatLeavesEndsTheExport) {
  shell(format("head -c 20000000 /dev/urandom > '{}'", (home() / "random").string()));
  await([](AgentTarget where) -> awaitable<void> {
    auto exchange = co_await openExport(where, {}, {{"/home/coder"}, {}}, Deadline::after(kPatience));
    co_await exchange->read(Deadline::after(kPatience));
  }(target()));
  waitUntil([] { return !shell("cat /proc/$PPID/task/*/comm 2>/dev/null || true").contains("archive"); });
}

TEST_F(ArchivesTest, aUsersFilesAreReplacedOnlyByForce) {
  auto archive = packed(manifest() + tarMember("home/coder/new", "n") + end());
  writeFile(root() / "etc/skel/.bashrc", "");
  writeFile(home() / ".bashrc", "");
  writeFile(home() / ".config/code-server/x", "");
  fs::create_directories(home() / "project/empty");
  put(archive, false);
  EXPECT_FALSE(fs::exists(home() / ".config"));
  writeFile(home() / "work", "precious");
  expectRefused(ErrorCode::Conflict, "new, work", [&] { put(archive, false); });
  EXPECT_EQ(readFile(home() / "work"), "precious");
  put(archive, true);
  EXPECT_FALSE(fs::exists(home() / "work"));
  EXPECT_EQ(readFile(home() / "new"), "n");
}

TEST_F(ArchivesTest, theGitIdentityOfANewHomeIsReplacedUnlessTheUserChangedIt) {
  auto archive = packed(manifest() + tarMember("home/coder/new", "n") + end());
  const std::string git = gitConfigText({"Ada", "ada@example.org"});
  writeFile(home() / ".gitconfig", git);
  put(archive, false);
  EXPECT_FALSE(fs::exists(home() / ".gitconfig"));
  fs::remove(home() / "new");
  for (const std::string& changed : {git + "[alias]\n", git.substr(1)}) {
    writeFile(home() / ".gitconfig", changed);
    expectRefused(ErrorCode::Conflict, ".gitconfig", [&] { put(archive, false); });
  }
  fs::remove(home() / ".gitconfig");
  writeFile(home() / ".config/git", git);
  fs::create_symlink(".config/git", home() / ".gitconfig");
  expectRefused(ErrorCode::Conflict, ".gitconfig", [&] { put(archive, false); });
}

TEST_F(ArchivesTest, aStorageThatTheInstanceLacksIsFoundBeforeAnythingIsTouched) {
  writeFile(home() / "work", "precious");
  auto archive = packed(manifest(R"(["/home/coder","/data"])") + tarMember("home/coder/new", "n") + end());
  expectRefused(ErrorCode::Unprocessable, "/data", [&] { put(archive); });
  EXPECT_EQ(readFile(home() / "work"), "precious");
}

TEST_F(ArchivesTest, aFileThatIsNotAnArchiveChangesNothing) {
  writeFile(home() / "work", "precious");
  expectRefused(ErrorCode::Unprocessable, "not an archive", [&] { put("PK\3\4 something else"); });
  expectRefused(ErrorCode::Unprocessable, "does not start with swarm-workspace.json",
                [&] { put(packed(tarMember("home/coder/new", "n") + end())); });
  expectRefused(ErrorCode::Unprocessable, "", [&] { put(packed(std::string(5'000, 'x'))); });
  expectRefused(ErrorCode::Unprocessable, "incomplete", [&] { put(""); });
  expectRefused(ErrorCode::Unprocessable, "format 2",
                [&] { put(packed(tarMember(kArchiveManifest, R"({"format":2,"storages":[]})") + end())); });
  EXPECT_EQ(readFile(home() / "work"), "precious");
}

TEST_F(ArchivesTest, aCutArchiveIsAnErrorWhereverItIsCut) {
  shell(format("head -c 300000 /dev/urandom > '{}'", (home() / "random").string()));
  auto whole = receive().bytes;
  for (std::size_t length : {whole.size() / 2, whole.size() - makeEndMark({}).size() - 10}) {
    expectRefused(ErrorCode::Unprocessable, "incomplete", [&] { put(whole.substr(0, length)); });
  }
  expectRefused(ErrorCode::Unprocessable, "incomplete", [&] { put(packed(manifest() + tarMember("home/coder/new", "n"))); });
}

TEST_F(ArchivesTest, whatLeadsOutsideIsRefused) {
  auto link = [](std::string name, std::string to, char type) { return tarMember(name, "", type, to); };
  writeFile(root() / "etc/shadow", "secret");
  for (const std::string& member : {tarMember("etc/cron", "x"), tarMember("/home/coder/x", "x"), tarMember("home/coder/../../etc/x", "x"),
                                    tarMember("home/coderx/x", "x"), tarMember("home/coder/./x", "x"), tarMember("home/coder//x", "x"),
                                    link("home/coder/h", "etc/shadow", '1'), link("home/coder/h", "home/coder/../../etc/shadow", '1')}) {
    expectRefused(ErrorCode::Unprocessable, "outside of its storages", [&] { put(packed(manifest() + member + end())); });
  }
  // Links may point anywhere. Nothing is written through them.
  fs::create_directories(root() / "outside");
  for (const std::string& to : {std::string("/") + (root() / "outside").relative_path().string(), std::string("../../outside")}) {
    const std::string way = manifest() + link("home/coder/way", to, '2');
    for (const std::string& member : {tarMember("home/coder/way/in", "x"), link("home/coder/h", "home/coder/way/in", '1')})
      expectRefused(ErrorCode::Unprocessable, "contradicts itself", [&] { put(packed(way + member + end())); });
    EXPECT_TRUE(fs::is_empty(root() / "outside")) << to;
  }
  auto devices = put(packed(manifest() + link("home/coder/device", "", '3') + tarMember("home/coder/new", "n") + end()));
  EXPECT_EQ(devices.at("count").as_int64(), 1);
  EXPECT_FALSE(fs::exists(fs::symlink_status(home() / "device")));
  EXPECT_EQ(readFile(home() / "new"), "n");
}

TEST_F(ArchivesTest, aConcurrentImportOrMoveIsRefused) {
  startVscode();
  auto archive = packed(manifest() + tarMember("home/coder/new", "n") + end());
  async::Notifier go;
  bool open = false;
  auto left = std::make_shared<std::string>(archive);
  ArchiveSource slow = [&, left](Deadline) -> awaitable<std::string> {
    if (left->empty()) co_return std::string();
    if (left->size() == archive.size()) co_return std::exchange(*left, left->substr(left->size() - 3)).substr(0, archive.size() - 3);
    while (!open) co_await go.wait(go.version(), Deadline::never());
    co_return std::exchange(*left, std::string());
  };
  auto running = asio::co_spawn(context, importArchive(target(), {{"/home/coder"}, {}}, true, slow), asio::use_future);
  waitUntil([&] { return hold.closed() && archives.isImporting(); });
  for (auto call :
       {std::function<void()>([&] { put(archive); }), std::function<void()>([&] { await(agent::hold(target(), "op", "", soon())); }),
        std::function<void()>([&] { await(agent::release(target(), soon())); })}) {
    try {
      call();
      ADD_FAILURE() << "it was accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.code(), testing::AnyOf(ErrorCode::Conflict, ErrorCode::Unavailable)) << error.message();
    }
  }
  EXPECT_EQ(await(getHealth(target(), soon())).held, "") << "servers must not release it";
  open = true;
  go.notifyAll();
  waitUntil([&] { return running.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  running.get();
  EXPECT_EQ(readFile(home() / "new"), "n");
}

TEST_F(ArchivesTest, aClientThatLeavesInTheMiddleOfAnImportLeavesItReleased) {
  startVscode();
  auto archive = packed(manifest() + tarMember("home/coder/new", std::string(900'000, 'n')) + end());
  bool first = true;
  ArchiveSource broken = [&](Deadline) -> awaitable<std::string> {
    if (!std::exchange(first, false)) {
      while (!archives.isImporting()) co_await async::sleepFor(std::chrono::milliseconds(5));
      throw Error(ErrorCode::Cancelled, "gone");
    }
    co_return archive.substr(0, archive.size() - 3);
  };
  EXPECT_THROW(await(importArchive(target(), {{"/home/coder"}, {}}, true, broken)), Error);
  waitUntil([&] { return !archives.isImporting() && !hold.closed() && vscode.ready(); });
}

TEST(EndMarkTest, isFoundOnlyWhereItIsWhole) {
  ArchiveNotes notes;
  for (int i = 0; i < 300; ++i) notes.add(std::string(3'000, 'p'), "socket ignored");
  auto mark = makeEndMark(notes);
  EXPECT_LE(mark.size(), kLongestEndMark);
  auto found = findEndMark("before" + mark);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count, 300);
  EXPECT_FALSE(findEndMark(mark.substr(0, mark.size() - 1)));
  EXPECT_FALSE(findEndMark(mark.substr(1)));
  EXPECT_FALSE(findEndMark("before" + mark + "behind"));
  EXPECT_FALSE(findEndMark(""));
}

}  // namespace
}  // namespace swarm::agent
