// An Engine, or a server in its place, may send anything: texts become printable and short, streams need memory for one line only.
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "base/text/untrusted_text.h"
#include "engine/format/streams.h"
#include "engine/transport/errors.h"

namespace swarm::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void expectTame(const std::string& text) {
  EXPECT_EQ(text, printable(text));
  EXPECT_LE(text.size(), 1500u);
}

TEST(EngineTexts, areShortAndPrintable) {
  const std::string hostile = "no \x1b[31msuch\xe2\x80\xae image\n" + std::string(20'000'000, '!');
  expectTame(engineMessage(hostile));
  expectTame(engineMessage(R"({"message":"a \u001b[2J\u009b"})"));
  expectTame(engineMessage("[" + std::string(20'000'000, '[')));
  for (int status : {400, 404, 409, 500, 503}) {
    Error error = engineError(status, hostile, "create the container");
    expectTame(error.message());
    expectTame(error.cause());
    EXPECT_THAT(error.message(), HasSubstr("no ␛[31msuch\xef\xbf\xbd image"));
  }
}

/// As Docker 20.10 and podman 4.3 respond.
TEST(EngineTexts, meanTheSameInTheWordsOfEachEngine) {
  EXPECT_EQ(refusalOf(409, R"({"message":"Conflict. The container name \"/x\" is already in use by container \"0\"."})"),
            Refusal::NameTaken);
  EXPECT_EQ(
      refusalOf(500,
                R"({"cause":"that name is already in use","message":"the container name \"x\" is already in use by 0.","response":500})"),
      Refusal::NameTaken);
  EXPECT_EQ(refusalOf(409, R"({"message":"a volume with the name x exists, made by another driver"})"), Refusal::Other);
  EXPECT_EQ(refusalOf(404, R"({"message":"No such container: x"})"), Refusal::NoContainer);
  EXPECT_EQ(refusalOf(404, R"({"message":"no container with name or ID \"x\" found: no such container"})"), Refusal::NoContainer);
  EXPECT_EQ(refusalOf(404, "Not Found\n"), Refusal::Unsupported);
  EXPECT_EQ(refusalOf(404, R"({"message":"page not found"})"), Refusal::Unsupported);
  EXPECT_EQ(refusalOf(405, ""), Refusal::Unsupported);
  EXPECT_EQ(refusalOf(404, R"({"message":"No such image: x:latest"})"), Refusal::NoImage);
  EXPECT_EQ(
      refusalOf(404, R"({"cause":"image not known","message":"no such image: docker.io/library/x:y: image not known","response":404})"),
      Refusal::NoImage);
  EXPECT_EQ(refusalOf(404, R"({"message":"network 0123 not found"})"), Refusal::NoNetwork);
  EXPECT_EQ(refusalOf(404, R"({"message":"unable to find network with name or ID x: network not found"})"), Refusal::NoNetwork);
  EXPECT_EQ(refusalOf(400, "network x is ambiguous (2 matches found on name)"), Refusal::AmbiguousNetwork);
  EXPECT_EQ(refusalOf(403, R"({"message":"Pool overlaps with other one on this address space"})"), Refusal::RangeTaken);
  EXPECT_EQ(refusalOf(500, R"({"message":"write memory.limit_in_bytes: device or resource busy"})"), Refusal::BelowUsage);
}

TEST(EngineTexts, ofARegistryAreNotForTheUser) {
  for (const char* text : {"Get \"http://10.0.0.7:6379/token\": dial tcp 10.0.0.7:6379: connect: connection refused",
                           "error parsing HTTP 200 response body: invalid character 'r' looking for beginning of value: \"root:x:0\"",
                           "denied: requested access to the resource is denied at realm http://10.0.0.7/"}) {
    std::string shown = pullTrouble(text);
    EXPECT_EQ(shown.find("10.0.0.7"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("root"), std::string::npos) << shown;
    EXPECT_TRUE(shown.starts_with("its registry")) << shown;
  }
}

TEST(EngineTexts, aboutAProgramThatWasNotStartedGiveTheCodeOfAShell) {
  EXPECT_EQ(codeOfUnstarted("OCI runtime exec failed: exec: \"x\": executable file not found in $PATH"), 127);
  EXPECT_EQ(codeOfUnstarted("OCI runtime exec failed: permission denied"), 126);
  EXPECT_EQ(codeOfUnstarted("hello"), std::nullopt);
}

TEST(EngineTexts, ofAPullAreToo) {
  PullProgress pull;
  std::string reported;
  auto progress = [&](std::string text, std::int64_t, std::int64_t) { reported = std::move(text); };
  pull.read(R"({"errorDetail":{"message":"denied \u001b]0;x\u0007"}})", progress);
  EXPECT_EQ(pull.error(), "denied ␛]0;x␇");
  for (int i = 0; i < 5000; ++i) pull.read(R"({"status":"Pulling fs layer","id":"l)" + std::to_string(i) + "\"}", progress);
  EXPECT_EQ(reported, "layer 0 of 1000");
}

std::vector<std::string> linesOf(LineReader& lines) {
  std::vector<std::string> found;
  while (auto line = lines.next()) found.push_back(*line);
  return found;
}

TEST(EngineLines, comeOutWholeHoweverTheyArrive) {
  const std::string all = "one\n\ntwo\nthree";
  for (std::size_t size = 1; size <= all.size(); ++size) {
    LineReader lines;
    std::vector<std::string> found;
    for (std::size_t at = 0; at < all.size(); at += size) {
      lines.add(std::string_view(all).substr(at, size));
      for (std::string& line : linesOf(lines)) found.push_back(std::move(line));
    }
    EXPECT_THAT(found, ElementsAre("one", "", "two"));
  }
}

TEST(EngineLines, withoutEndAreDroppedAndTheNextIsRead) {
  LineReader lines;
  for (int i = 0; i < 100; ++i) {
    lines.add(std::string(64 * 1024, 'x'));
    EXPECT_THAT(linesOf(lines), ElementsAre());
  }
  lines.add("the end of it\nnext\n");
  EXPECT_THAT(linesOf(lines), ElementsAre("next"));
  lines.add(std::string(LineReader::kMaxLine, 'y') + "\n" + std::string(LineReader::kMaxLine + 1, 'z') + "\nlast\n");
  EXPECT_THAT(linesOf(lines), ElementsAre(std::string(LineReader::kMaxLine, 'y'), "last"));
}

TEST(EngineFrames, ofOneByteComeOutOfAFullBuffer) {
  FrameReader frames;
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += std::string("\x01\0\0\0\0\0\0\x01x", 9);
  frames.add(bytes);
  std::size_t found = 0;
  while (auto frame = frames.next()) found += frame->data == "x" ? 1 : 0;
  EXPECT_EQ(found, 20'000u);
  EXPECT_FALSE(frames.broken());
}

}  // namespace
}  // namespace swarm::engine
