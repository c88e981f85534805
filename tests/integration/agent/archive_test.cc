// Archives in the real image: what does not fit where it goes, and an agent that is killed in between.
#include "model/archive.h"
#include "base/error.h"

#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

class ArchiveInImage : public AgentInImage {
 protected:
  std::string exportData(std::string storage = "/data") {
    return loop_.run(
        [](AgentTarget where, std::string its_storage) -> awaitable<std::string> {
          std::string bytes;
          auto exchange = co_await openExport(where, {{"name", "web1"}}, {{its_storage}, {}}, Deadline::after(kPatience));
          for (std::string piece = co_await exchange->read(Deadline::after(kPatience)); !piece.empty();
               piece = co_await exchange->read(Deadline::after(kPatience))) {
            bytes += piece;
          }
          co_return bytes;
        }(target(), std::move(storage)),
        kPatience);
  }
  boost::json::object importData(std::string bytes) {
    auto left = std::make_shared<std::string>(std::move(bytes));
    ArchiveSource source = [left](Deadline) -> awaitable<std::string> { co_return std::exchange(*left, std::string()); };
    return loop_.run(importArchive(target(), {{"/data"}, {}}, true, std::move(source)), kPatience);
  }
};

TEST_F(ArchiveInImage, aStorageThatIsTooSmallIsSaidToBeFullAndVscodeComesBack) {
  waitUntilReady();
  run("head -c 3000000 /dev/urandom >/data/random && chown 1234:5678 /data/random && sha256sum /data/random >/tmp/sum", "root");
  auto archive = exportData();
  auto mark = findEndMark(archive);
  ASSERT_TRUE(mark && mark->failure.empty());
  run("rm /data/random $(command -v tar zstd)", "root");
  EXPECT_EQ(importData(archive).at("files").as_int64(), 2);
  EXPECT_EQ(run("sha256sum --quiet -c /tmp/sum && stat -c %u:%g /data/random", "root").stdoutText, "1234:5678\n");

  begin({{{"Tmpfs", boost::json::object{{"/data", "size=1m,mode=0755"}}}}, R"("mounts":["/data"])"});
  waitUntilReady();
  try {
    importData(archive);
    FAIL() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources) << error.message() << "; " << error.cause();
    EXPECT_THAT(error.message(), testing::HasSubstr("Nothing was changed"));
  }
  EXPECT_TRUE(waitUntilReady().ready);
}

TEST_F(ArchiveInImage, anAgentThatIsKilledInTheMiddleOfAnImportHasLostNothing) {
  waitUntilReady();
  run("echo before >~/work && head -c 5000000 /dev/urandom >~/large");
  const std::string archive = exportData("/home/coder");
  run("echo precious >~/work && rm ~/large");
  bool sent = false;
  ArchiveSource source = [&](Deadline) -> awaitable<std::string> {
    if (!std::exchange(sent, true)) co_return archive.substr(0, archive.size() - 1'000);
    co_await container_->kill();
    throw Error(ErrorCode::Cancelled, "The test has killed it.");
  };
  EXPECT_THROW(loop_.run(importArchive(target(), {{"/home/coder"}, {}}, true, std::move(source)), kPatience), Error);
  startContainer();
  waitUntilReady();
  EXPECT_EQ(run("cat ~/work; ls -A ~ | grep -e import -e large").stdoutText, "precious\n");
}

}  // namespace
}  // namespace swarm::agent
