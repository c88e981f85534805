// `swarm export` and `swarm import`: what they ask, what they leave behind when something goes wrong, and what they say.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "model/archive.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {
namespace fs = std::filesystem;

const std::string kRunning =
    R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web2"},"url":"http://web2.localhost:7420/","operationId":"op-1"})";
const std::string kCreated = R"({"id":"op-1","kind":"create","instanceId":"i-1","instanceName":"web2","status":"succeeded","steps":[]})";
const std::string kMagic = "\x28\xb5\x2f\xfd";

class Archive : public ::testing::Test {
 protected:
  fs::path file(std::string_view name) const { return folder_.path() / name; }
  static std::string content(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  void expectCreate() {
    api_.on("POST /api/instances", 202, {kRunning});
    api_.on("GET /api/operations/op-1", 200, {kCreated});
    api_.on("GET /api/instances/i-1", 200, {kRunning});
  }

  test::TempDir folder_;
  ApiDouble api_;
};

TEST_F(Archive, isWrittenToAFileThatHasItsNameOnlyWhenItIsWhole) {
  ArchiveNotes notes;
  notes.add("home/coder/s", "socket ignored");
  api_.on("GET /api/instances/web1/export", 200, {"bytes" + makeEndMark(notes)});
  const Ran ran = runCommand(api_, {"export", "web1", "-o", file("a").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(content(file("a")).starts_with("bytes"));
  EXPECT_NE(ran.err.find("home/coder/s: socket ignored"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(Archive, thatIsNotWholeLeavesNoFileAndAnExitCode) {
  api_.on("GET /api/instances/web1/export", 200, {"bytes"});
  const Ran ran = runCommand(api_, {"export", "web1", "-o", file("a").string()});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("incomplete"), std::string::npos) << ran.err;
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  EXPECT_EQ(runCommand(api_, {"export", "absent", "-o", file("a").string()}).code, 3);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Archive, isNotWrittenToAFileThatAnotherUserHasPrepared) {
  api_.on("GET /api/instances/web1/export", 200, {"bytes" + makeEndMark({})});
  write(file("victim"), "kept");
  const auto prepare = {+[](const fs::path& at) { fs::create_symlink("victim", at); },
                        +[](const fs::path& at) { fs::create_hard_link(at.parent_path() / "victim", at); }};
  for (const auto& make : prepare) {
    make(file("a.partial"));
    const Ran ran = runCommand(api_, {"export", "web1", "-o", file("a").string()});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(content(file("victim")), "kept");
    EXPECT_TRUE(content(file("a")).starts_with("bytes"));
    EXPECT_EQ(fs::status(file("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    fs::remove(file("a"));
  }
}

TEST_F(Archive, goesToStandardOutputAsItIs) {
  api_.on("GET /api/instances/web1/export", 200, {"bytes" + makeEndMark({})});
  for (std::vector<std::string> words : {std::vector<std::string>{"export", "web1"}, {"export", "web1", "-o", "-"}}) {
    const Ran ran = runCommand(api_, words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "bytes" + makeEndMark({}));
    EXPECT_FALSE(fs::exists("-") || fs::exists("-.partial"));
  }
}

TEST_F(Archive, isWrittenToPipesAndDevicesAndThroughLinks) {
  api_.on("GET /api/instances/web1/export", 200, {"bytes" + makeEndMark({})});
  write(file("there"), "before, and longer than what comes now, so that a rest of it would be seen");
  fs::create_symlink("there", file("link"));
  fs::create_symlink("made", file("dangling"));
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  std::string piped;
  std::jthread reader([&] { piped = content(file("pipe")); });
  for (const char* name : {"link", "dangling", "pipe"}) {
    const Ran ran = runCommand(api_, {"export", "web1", "-o", file(name).string()});
    EXPECT_EQ(ran.code, 0) << name << ran.err;
  }
  reader.join();
  EXPECT_TRUE(fs::is_symlink(file("link")) && fs::is_symlink(file("dangling")) && fs::is_fifo(file("pipe")));
  const std::string whole = "bytes" + makeEndMark({});
  EXPECT_EQ(content(file("there")), whole);
  EXPECT_EQ(content(file("made")), whole);
  EXPECT_EQ(piped, whole);
  EXPECT_EQ(runCommand(api_, {"export", "web1", "-o", "/dev/null"}).code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_FALSE(fs::exists("/dev/null.partial"));
}

TEST_F(Archive, isLookedAtBeforeAnythingIsMadeForIt) {
  write(file("text"), "no archive at all");
  write(file("cut"), kMagic + "and no end");
  for (const char* name : {"text", "cut", "absent"}) {
    const Ran ran = runCommand(api_, {"import", file(name).string(), "--name", "web2"});
    EXPECT_NE(ran.code, 0) << name;
    EXPECT_NE(ran.err.find(name), std::string::npos) << ran.err;
  }
  EXPECT_TRUE(api_.received().empty());
}

TEST_F(Archive, whoseImportFailsSaysWhatIsLeftAndHowToRemoveIt) {
  write(file("a"), kMagic + "archive" + makeEndMark({}));
  expectCreate();
  api_.on("PUT /api/instances/i-1/import", 507, {R"({"code":"out_of_resources","detail":"The storage is full."})"});
  const Ran ran = runCommand(api_, {"import", file("a").string(), "--name", "web2", "--cpus", "2"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("The storage is full."), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("swarm delete web2 --volumes"), std::string::npos) << ran.err;
  EXPECT_EQ(api_.bodyOf("POST /api/instances").at("resources").at("cpu").at("cores").to_number<double>(), 2);
}

TEST_F(Archive, whoseImportMayHaveEndedWellIsNotSaidToHaveFailed) {
  write(file("a"), kMagic + "archive" + makeEndMark({}));
  expectCreate();
  api_.on("PUT /api/instances/i-1/import", 504, {R"({"code":"deadline_exceeded","detail":"The agent makes no progress."})"});
  const Ran ran = runCommand(api_, {"import", file("a").string(), "--name", "web2"});
  EXPECT_EQ(ran.err.find("Nothing was imported"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("swarm delete"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("Check its files"), std::string::npos) << ran.err;
}

TEST_F(Archive, isImportedIntoANewInstance) {
  write(file("a"), kMagic + "archive" + makeEndMark({}));
  expectCreate();
  api_.on("PUT /api/instances/i-1/import", 200, {R"({"files":12,"bytes":3456,"workspace":"web1","notes":[],"count":0})"});
  const Ran ran = runCommand(api_, {"import", file("a").string(), "--name", "web2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "http://web2.localhost:7420/\n");
  EXPECT_NE(ran.err.find("12 files"), std::string::npos) << ran.err;
}

TEST_F(Archive, replacesTheFilesOfAnInstanceOnlyByForce) {
  write(file("a"), kMagic + "archive" + makeEndMark({}));
  api_.on("GET /api/instances/web2", 200, {kRunning});
  api_.on("GET /api/instances/i-1", 200, {kRunning});
  api_.on("POST /api/instances", 409, {R"({"code":"already_exists","detail":"The name web2 is taken."})"});
  api_.on("PUT /api/instances/i-1/import?force=true", 200, {R"({"files":1,"bytes":1,"workspace":"web1","notes":[],"count":0})"});
  EXPECT_EQ(runCommand(api_, {"import", file("a").string(), "--name", "web2"}).code, 1);
  const Ran ran = runCommand(api_, {"import", file("a").string(), "--name", "web2", "--force"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

}  // namespace
}  // namespace swarm::cli::testing
