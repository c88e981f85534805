// Archives in the real image, with its own tar and zstd: what does not fit where it goes.
#include "model/archive.h"
#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

class ArchiveInImage : public AgentInImage {
 protected:
  std::string exportData() {
    return loop_.run(
        [](AgentTarget where) -> awaitable<std::string> {
          std::string bytes;
          auto exchange = co_await openExport(where, {{"name", "web1"}}, {{"/data"}, {}}, Deadline::after(kPatience));
          for (std::string piece = co_await exchange->read(Deadline::after(kPatience)); !piece.empty();
               piece = co_await exchange->read(Deadline::after(kPatience))) {
            bytes += piece;
          }
          co_return bytes;
        }(target()),
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
  run("rm /data/random", "root");
  EXPECT_EQ(importData(archive).at("files").as_int64(), 2);
  EXPECT_EQ(run("sha256sum --quiet -c /tmp/sum && stat -c %u:%g /data/random", "root").stdoutText, "1234:5678\n");

  begin({{{"Tmpfs", boost::json::object{{"/data", "size=1m,mode=0755"}}}}, R"("mounts":["/data"])"});
  waitUntilReady();
  try {
    importData(archive);
    FAIL() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfResources) << error.message() << "; " << error.cause();
    EXPECT_THAT(error.message(), testing::HasSubstr("not complete"));
  }
  EXPECT_TRUE(waitUntilReady().ready);
}

}  // namespace
}  // namespace swarm::agent
