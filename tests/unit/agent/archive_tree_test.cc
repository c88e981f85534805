// Exporting trees while they change, and importing arbitrary archives.
#include <fcntl.h>
#include <sys/stat.h>

#include <random>

#include "agent/archive/tree_export.h"
#include "agent/archive/tree_import.h"
#include "base/text/format.h"
#include "fuzz/archive_reader/checks.h"
#include "unit/agent/fixture.h"
#include "unit/agent/shell.h"

namespace swarm::agent {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kMiB = 1024 * 1024;

class ArchiveTree : public testing::Test {
 protected:
  ArchiveTree() {
    fs::create_directories(home());
    fs::create_directories(folder / "to/home/coder");
  }
  fs::path home() const { return folder / "from/home/coder"; }
  fs::path target() const { return folder / "to/home/coder"; }

  std::string exported() {
    std::string bytes;
    ArchiveWriter writer([&](std::string_view piece) { bytes += piece; });
    writer.addText(kArchiveManifest, R"({"format":1,"storages":["/home/coder"]})");
    auto storages = transfer::openStorages({{"/home/coder"}, {}}, folder / "from");
    transfer::StopFlag never;
    exportTree(storages, writer, notes, never);
    writer.addText(kArchiveNotes, "{}");
    writer.finish();
    digest = writer.digest();
    ArchiveNotes mark;
    mark.digest = digest;
    return bytes + makeEndMark(mark);
  }
  void import(std::string archive, ArchiveReader::Packing packing = ArchiveReader::Packing::Zstandard) {
    ArchiveReader reader([&] { return std::exchange(archive, {}); }, packing);
    reader.readManifest();
    reader.setStorages({"/home/coder"});
    Staging staging({"/home/coder"}, {{"/home/coder"}, {}}, folder / "to");
    transfer::StopFlag never;
    try {
      importTree(reader, staging, never);
    } catch (const Error&) {
      staging.discard();
      throw;
    }
    staging.commit();
    EXPECT_EQ(reader.digest(), digest.empty() ? reader.digest() : digest);
    left = reader.notes();
  }
  void expectSame() {
    EXPECT_EQ(shell(format("diff -r --no-dereference -x pipe -x other -x fifo '{}' '{}'", home().string(), target().string())), "");
    EXPECT_EQ(shell(format("cd '{}' && find . -printf '%p %y %m %U %G %n %T@ %l\\n' | sort", target().string())),
              shell(format("cd '{}' && find . -printf '%p %y %m %U %G %n %T@ %l\\n' | sort", home().string())));
  }
  /// Reads the archive with standard programs.
  std::string listed(const std::string& archive) {
    writeFile(folder / "a.tar.zst", archive);
    return shell(format("zstd -qdc '{}' | tar -t --quoting-style=escape", (folder / "a.tar.zst").string()));
  }

  test::TempDir folder;
  ArchiveNotes notes, left;
  std::string digest;
};

TEST_F(ArchiveTree, pathsOfAnyLengthGoOutAndIn) {
  shell(
      format("cd '{}' && name=$(printf '%0200d' 7) && for i in $(seq 40); do mkdir $name && cd -P $name; done && echo deep >file && "
             "ln file hard && ln -s file link",
             home().string()));
  auto archive = exported();
  import(archive);
  EXPECT_EQ(shell(format("cd '{}' && name=$(printf '%0200d' 7) && for i in $(seq 40); do cd -P $name; done && cat hard && stat -c %h file "
                         "&& readlink link",
                         target().string())),
            "deep\n2\nfile\n");
}

TEST_F(ArchiveTree, aLinkWithTwoNamesStaysOne) {
  shell(format("cd '{}' && ln -s nowhere one && ln -P one two && mkfifo pipe && ln pipe other", home().string()));
  auto archive = exported();
  EXPECT_THAT(listed(archive), testing::HasSubstr("home/coder/two"));
  import(archive);
  expectSame();
}

TEST_F(ArchiveTree, namesInAnyEncodingAreKeptByteByByte) {
  shell(format(R"(cd '{}' && for name in 'a\\b' 'new\nline' 'bad\377' '\303\244' 'u\314\210' 'space ' '*?'; do
    name=$(printf "$name."); mkdir "d$name"; echo "$name" >"$name"; ln -s "to$name" "l$name"; ln "$name" "h$name"; done)",
               home().string()));
  import(exported());
  expectSame();
}

TEST_F(ArchiveTree, holesStayHolesWhereverTheyAre) {
  for (auto [name, offset, size] : {std::tuple{"begin", 2 * kMiB, 3 * kMiB}, {"end", 0UL, 5 * kMiB}, {"all", 9 * kMiB, 5 * kMiB}}) {
    int file = ::open((home() / name).c_str(), O_WRONLY | O_CREAT, 0644);
    ASSERT_EQ(::ftruncate(file, static_cast<off_t>(size)), 0);
    if (offset < size) ASSERT_EQ(::pwrite(file, "data", 4, static_cast<off_t>(offset)), 4);
    ::close(file);
  }
  shell(
      format("cd '{}' && truncate -s 1T huge && for i in $(seq 0 3 300); do echo $i | dd of=many bs=4096 seek=$i conv=notrunc "
             "status=none; done",
             home().string()));
  auto archive = exported();
  EXPECT_LT(archive.size(), kMiB);
  import(archive);
  EXPECT_EQ(shell(format("cd '{}' && stat -c '%n %s' *", target().string())),
            shell(format("cd '{}' && stat -c '%n %s' *", home().string())));
  EXPECT_EQ(shell(format("cd '{}' && cat begin end many | sha256sum", target().string())),
            shell(format("cd '{}' && cat begin end many | sha256sum", home().string())));
  for (const char* name : {"begin", "end", "all", "huge", "many"}) {
    struct stat status{};
    ASSERT_EQ(::stat((target() / name).c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 1'000'000) << name;
  }
}

/// A file changes after its header has been written: the archive is complete, other programs can read it, and the change is reported.
TEST_F(ArchiveTree, aFileThatGrowsOrShrinksWhileItIsReadIsAsLongAsItsHeaderSays) {
  for (auto change : {"truncate -s 1000000 a", "head -c 9000000 /dev/urandom >>a", "truncate -s +9G a; echo end >>a", ": >a", "rm a b"}) {
    notes = {};
    shell(format("cd '{}' && rm -f * && head -c 5000000 /dev/urandom >a && truncate -s 8M a && head -c 3000000 /dev/urandom >b",
                 home().string()));
    std::string bytes;
    bool changed = false;
    ArchiveWriter writer([&](std::string_view piece) {
      bytes += piece;
      if (bytes.size() > kMiB && !std::exchange(changed, true)) shell(format("cd '{}' && {}", home().string(), change));
    });
    writer.addText(kArchiveManifest, R"({"format":1,"storages":["/home/coder"]})");
    auto storages = transfer::openStorages({{"/home/coder"}, {}}, folder / "from");
    transfer::StopFlag never;
    exportTree(storages, writer, notes, never);
    writer.finish();
    ASSERT_TRUE(changed);
    digest = writer.digest();
    EXPECT_GE(notes.count, 1) << change;
    EXPECT_THAT(listed(bytes), testing::HasSubstr("home/coder/a\n")) << change;
    import(bytes);
    EXPECT_EQ(fs::file_size(target() / "a"), 8 * kMiB) << change;
  }
}

TEST_F(ArchiveTree, whatGnuTarPackedForOlderAgentsIsUnderstood) {
  writeFile(folder / "from/swarm-workspace.json", R"({"format":1,"storages":["/home/coder"]})");
  shell(format(
      R"sh(cd '{0}' && mkdir -p deep && echo text >"$(printf 'bad\377')" && echo t >"$(printf '\303\244u\314\210')" && ln -s "$(printf 'bad\377')" link &&
    ln "$(printf '\303\244u\314\210')" hard && truncate -s 3M holes && printf z | dd of=holes bs=1 seek=2000000 conv=notrunc status=none &&
    echo l >deep/$(printf '%0150d' 1) && touch -d '2001-02-03 04:05:06.123456789' deep && chmod 4755 hard && mkfifo fifo && cd '{1}' &&
    tar --create --file=a.tar --format=posix --pax-option=delete=atime,delete=ctime --numeric-owner --sparse --acls --xattrs \
      --xattrs-include=user.* --blocking-factor=128 swarm-workspace.json home/coder && rm swarm-workspace.json)sh",
      home().string(), (folder / "from").string()));
  import(readFile(folder / "from/a.tar"), ArchiveReader::Packing::None);
  expectSame();
}

TEST_F(ArchiveTree, onlyTheFileSystemsOwnLostAndFoundStaysAndIsReported) {
  fs::create_directories(home() / "lost+found");
  writeFile(home() / "lost+found/mine", "a person's");
  fs::create_directories(home() / "deep/lost+found");
  import(exported());
  EXPECT_EQ(notes.count, 0);
  expectSame();
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make the file system's own";
  fs::permissions(home() / "lost+found", fs::perms::owner_all);
  fs::permissions(target() / "lost+found", fs::perms::owner_all);
  writeFile(target() / "lost+found/kept", "the disk's");
  import(exported());
  ASSERT_EQ(notes.count, 1);
  EXPECT_EQ(notes.notes[0].path, "home/coder/lost+found");
  EXPECT_EQ(readFile(target() / "lost+found/kept"), "the disk's");
}

TEST_F(ArchiveTree, aDamagedBitIsFoundBeforeAnythingChanges) {
  shell(format("head -c 300000 /dev/urandom >'{}'", (home() / "random").string()));
  writeFile(target() / "work", "precious");
  auto archive = exported();
  for (std::size_t at : {archive.size() / 3, archive.size() / 2}) {
    auto damaged = archive;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_THROW(import(damaged), Error);
  }
  ArchiveNotes right, wrong;
  right.digest = digest;
  wrong.digest = std::string(digest.size(), '0');
  EXPECT_THROW(import(archive.substr(0, archive.size() - makeEndMark(right).size()) + makeEndMark(wrong)), Error);
  EXPECT_EQ(shell(format("cd '{}' && find . | sort", target().string())), ".\n./work\n");
}

TEST(ArchiveReaderTest, aHeaderIsBoundedWhateverItUnpacksTo) {
  std::string map;
  while (map.size() < 6 * kMiB) map += "0\n0\n";
  std::string pax;
  for (std::string record : {"GNU.sparse.major=1\n", "GNU.sparse.minor=0\n", "GNU.sparse.name=s/a\n", "GNU.sparse.realsize=5\n"}) {
    std::string line = format("{} {}", record.size() + 3, record);
    pax += line;
  }
  std::string archive = tarMember(kArchiveManifest, "{}") + tarMember("s/PaxHeaders/a", pax, 'x') +
                        tarMember("s/a", format("{}\n", map.size() / 4) + map) + tarEnd();
  EXPECT_EQ(readArchive(archive, 100'000), "refused");
}

std::vector<std::string> corpus() {
  std::vector<std::string> archives;
  for (const auto& entry : fs::directory_iterator(SWARM_FUZZ_CORPUS)) archives.push_back(readFile(entry.path()));
  return archives;
}

TEST(ArchiveReaderTest, theFuzzCorpusKeepsItsInvariants) {
  EXPECT_GE(corpus().size(), 13U);
  int refused = 0;
  for (const std::string& archive : corpus()) {
    fuzzArchiveReader(archive);
    if (readArchive(withRightSums(archive), 512) == "refused") ++refused;
  }
  EXPECT_GE(refused, 4);
  EXPECT_LT(refused, static_cast<int>(corpus().size()));
}

TEST(ArchiveReaderTest, damagedArchivesWithRightSumsLetNothingOut) {
  std::mt19937 random(1);
  for (const std::string& archive : corpus()) {
    for (int attempt = 0; attempt < 300; ++attempt) {
      std::string damaged = archive;
      for (unsigned change = random() % 4 + 1; change > 0; --change) damaged[random() % damaged.size()] = "\0/.s017xL\xff"[random() % 10];
      fuzzArchiveReader(damaged);
    }
  }
}

}  // namespace
}  // namespace swarm::agent
