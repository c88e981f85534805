// Archives through the API: bytes pass as they come, a cut on one side is a cut on the other, and the agent's reasons reach the caller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "async/deadline.h"
#include "base/text/format.h"
#include "protocol/agent.h"
#include "swarm/client.h"
#include "unit/api/fixture.h"

namespace swarm::test {
namespace {

/// An agent that says what the test wants.
struct ArchiveAgent {
  std::string gives;  ///< the export's body
  bool ends = true;   ///< with the response's end
  int status = 200;   ///< of an import's response
  std::string says = R"({"files":1,"bytes":2,"workspace":"web1","notes":[],"count":0})";
  bool reads = true;  ///< an import's whole body
  std::string line, received;

  net::HttpHandler handler() {
    return [this](net::Exchange& exchange) { return serve(exchange); };
  }
  awaitable<void> serve(net::Exchange& exchange) {
    line = std::string(exchange.head().method) + " " + std::string(exchange.head().target);
    if (exchange.head().path() == agent::kExportPath) {
      received = co_await net::readAll(exchange.body(), 100'000);
      co_await exchange.begin(200, {});
      for (std::size_t at = 0; at < gives.size(); at += 1'000) co_await exchange.write(std::string_view(gives).substr(at, 1'000));
      if (ends) co_return co_await exchange.finish();
      exchange.stream().close();
      co_return;
    }
    std::vector<char> piece(64 * 1024);
    while (reads) {
      auto got = co_await exchange.body().readSome(boost::asio::buffer(piece));
      if (got.error || got.bytes == 0) break;
      received.append(piece.data(), got.bytes);
    }
    co_await exchange.respond(status, {{"Content-Type", "application/json"}}, says);
  }
};

class ApiArchive : public testing::Test {
 protected:
  ApiArchive() {
    server_.inside.agent = agent_.handler();
    server_.create("ullas", server_.user);
  }
  void withClient(const std::function<void(SwarmClient&)>& use) { server_.withClient(use, server_.user); }
  std::string archive() const { return std::string(300'000, 'z') + makeEndMark({}); }

  ArchiveAgent agent_;
  ApiServer server_;
};

TEST_F(ApiArchive, anExportPassesWithItsTypeAndName) {
  agent_.gives = archive();
  Response response = server_.send({.target = "/api/instances/ullas/export"}, server_.user);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.text, agent_.gives);
  EXPECT_EQ(response.header("Content-Type"), "application/zstd");
  EXPECT_EQ(response.header("Content-Disposition"), "attachment; filename=\"ullas.tar.zst\"");
  EXPECT_EQ(agent_.line, "POST /export");
  EXPECT_THAT(agent_.received, testing::HasSubstr(R"("storages":["/home/coder"])"));
}

TEST_F(ApiArchive, theLibraryKnowsAWholeArchive) {
  ArchiveNotes notes;
  notes.add("home/coder/s", "socket ignored");
  agent_.gives = "archive" + makeEndMark(notes);
  std::string got;
  ArchiveReport report;
  withClient([&](SwarmClient& client) { report = client.exportInstance("ullas", [&](std::string_view piece) { got += piece; }); });
  EXPECT_EQ(got, agent_.gives);
  EXPECT_EQ(report.bytes, static_cast<std::int64_t>(got.size()));
  ASSERT_EQ(report.left.notes.size(), 1U);
  EXPECT_EQ(report.left.notes[0].reason, "socket ignored");
}

TEST_F(ApiArchive, aCutExportIsNeverTakenForAWholeOne) {
  struct Case {
    std::string gives;
    bool ends;
    std::string_view says;
  };
  ArchiveNotes failed;
  failed.failure = "It moves.";
  for (const auto& [gives, ends, says] :
       {Case{archive().substr(0, 200'000), false, "was lost"}, Case{archive(), false, "was lost"}, Case{"archive", true, "end is missing"},
        Case{"half" + makeEndMark(failed), false, "It moves."}}) {
    agent_.gives = gives;
    agent_.ends = ends;
    try {
      withClient([](SwarmClient& client) { client.exportInstance("ullas", [](std::string_view) {}); });
      ADD_FAILURE() << says;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("incomplete"), testing::HasSubstr(std::string(says))));
    }
  }
}

TEST_F(ApiArchive, anImportPassesWholeHoweverLargeItIs) {
  std::string sent;
  int left = 40;
  ArchiveReport report;
  auto source = [&] {
    std::string piece = left-- > 0 ? std::string(100'000, static_cast<char>('a' + left % 26)) : std::string();
    sent += piece;
    return piece;
  };
  withClient([&](SwarmClient& client) { report = client.importInstance("ullas", source, true); });
  EXPECT_EQ(agent_.received, sent);
  EXPECT_EQ(agent_.line, "PUT /import?force=true&storage=%2Fhome%2Fcoder");
  EXPECT_EQ(report.files, 1);
  EXPECT_EQ(report.workspace, "web1");
}

TEST_F(ApiArchive, aRefusalInTheMiddleReachesWhoSends) {
  agent_.reads = false;
  agent_.status = 422;
  agent_.says = R"({"reason":"This instance has no such storage."})";
  try {
    withClient([](SwarmClient& client) { client.importInstance("ullas", [] { return std::string(100'000, 'x'); }); });
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable) << error.message();
    EXPECT_EQ(error.message(), "This instance has no such storage.");
  }
}

TEST_F(ApiArchive, aSourceThatFailsEndsTheImport) {
  int pieces = 0;
  auto source = [&]() -> std::string {
    if (++pieces == 3) throw Error(ErrorCode::NotFound, "the disk is gone");
    return "piece";
  };
  EXPECT_THROW(withClient([&](SwarmClient& client) { client.importInstance("ullas", source); }), Error);
}

TEST_F(ApiArchive, aStoppedInstanceIsAConflict) {
  server_.post("/api/instances/ullas/stop?wait=10");
  EXPECT_EQ(server_.get("/api/instances/ullas/export").status, 409);
}

}  // namespace
}  // namespace swarm::test
