// Exports and imports: an archive is whole, or the call throws.
#include "model/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/net/threaded_server.h"
#include "swarm/client.h"

namespace swarm {
namespace {

using testing::HasSubstr;

/// Streams these pieces; then ends the response, or breaks off.
enum class End { Whole, Cut };
net::HttpHandler archiveOf(std::vector<std::string> pieces, End end) {
  return [pieces = std::move(pieces), end](net::Exchange& exchange) -> async::awaitable<void> {
    co_await exchange.begin(200, {{"Content-Type", std::string(kArchiveType)}});
    for (const std::string& piece : pieces) co_await exchange.write(piece);
    if (end == End::Cut) throw std::runtime_error("the connection is cut here");
    co_await exchange.finish();
  };
}

struct Exported {
  std::string bytes;
  std::optional<ArchiveReport> report;
  std::optional<Error> error;
};
Exported exportFrom(net::HttpHandler handler) {
  test::ThreadedServer server(std::move(handler));
  SwarmClient client({.url = server.url(), .token = Secret("t")});
  Exported result;
  try {
    result.report = client.exportInstance("web", [&](std::string_view piece) { result.bytes += piece; });
  } catch (const Error& error) {
    result.error = error;
  }
  return result;
}

std::string markWith(std::string failure) {
  ArchiveNotes notes;
  notes.add("home/socket", "is a socket");
  notes.failure = std::move(failure);
  return makeEndMark(notes);
}

TEST(ClientExport, givesTheBytesAndTheNotesOfTheEndMark) {
  const std::string mark = markWith("");
  // The mark arrives in two pieces.
  const Exported result = exportFrom(archiveOf({"files", mark.substr(0, 3), mark.substr(3)}, End::Whole));
  ASSERT_TRUE(result.report) << result.error->message();
  EXPECT_EQ(result.bytes, "files" + mark);
  EXPECT_EQ(result.report->bytes, static_cast<std::int64_t>(result.bytes.size()));
  ASSERT_EQ(result.report->left.notes.size(), 1u);
  EXPECT_EQ(result.report->left.notes[0].path, "home/socket");
}

TEST(ClientExport, findsTheMarkBehindMoreThanItRemembers) {
  std::vector<std::string> pieces(40, std::string(64 * 1024, 'x'));
  pieces.push_back(markWith(""));
  const Exported result = exportFrom(archiveOf(std::move(pieces), End::Whole));
  ASSERT_TRUE(result.report) << result.error->message();
  EXPECT_EQ(result.report->left.count, 1);
}

TEST(ClientExport, throwsForAnArchiveWithoutItsEnd) {
  const Exported result = exportFrom(archiveOf({"files"}, End::Whole));
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::UpstreamFailed);
  EXPECT_THAT(result.error->message(), HasSubstr("its end is missing"));
}

TEST(ClientExport, throwsForAnArchiveThatBreaksOff) {
  const Exported result = exportFrom(archiveOf({"files"}, End::Cut));
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), ErrorCode::Unavailable);
  EXPECT_THAT(result.error->message(), HasSubstr("the connection was lost"));
}

TEST(ClientExport, givesTheReasonThatTheAgentWroteIntoTheMark) {
  for (const End end : {End::Whole, End::Cut}) {
    const Exported result = exportFrom(archiveOf({"files", markWith("The disk is full.")}, end));
    ASSERT_TRUE(result.error);
    EXPECT_THAT(result.error->message(), HasSubstr("The disk is full."));
  }
}

TEST(ClientImport, sendsWhatItsSourceGivesAndReadsTheReport) {
  std::string received, target;
  test::ThreadedServer server([&](net::Exchange& exchange) -> async::awaitable<void> {
    target = std::string(exchange.head().method) + " " + std::string(exchange.head().target);
    received = co_await net::readAll(exchange.body(), 64 * 1024);
    co_await exchange.respond(200, {}, R"({"workspace":"old","files":3,"bytes":12})");
  });
  SwarmClient client({.url = server.url(), .token = Secret("t")});
  std::vector<std::string> pieces{"one ", "two"};
  auto next = [&, index = std::size_t{0}]() mutable { return index < pieces.size() ? pieces[index++] : std::string(); };
  const ArchiveReport report = client.importInstance("web", next, true);
  EXPECT_EQ(target, "PUT /api/instances/web/import?force=true");
  EXPECT_EQ(received, "one two");
  EXPECT_EQ(report.workspace, "old");
  EXPECT_EQ(report.files, 3);
  EXPECT_EQ(report.bytes, 12);
}

}  // namespace
}  // namespace swarm
