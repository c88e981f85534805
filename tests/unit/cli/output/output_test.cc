// Tables, YAML and the small parsers of the command line.
#include "cli/output/output.h"

#include <gtest/gtest.h>

#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {
namespace {

TEST(Table, alignsItsColumns) {
  Table table({"NAME", "STATUS"});
  table.add({"a", "running"});
  table.add({"longer-name", "stopped"});
  EXPECT_EQ(table.render(0, false), "NAME         STATUS\na            running\nlonger-name  stopped\n");
}

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  return lines;
}

TEST(Table, neverCutsWhatPeopleCopyAndLosesNoText) {
  Table table({copied("NAME"), "WHY", extra("CREATED"), copied("URL")});
  table.add({"web1", "the workspace could not be started because its image is gone", "3 min ago", "http://web1.swarm.localhost:7420/"});
  const std::string text = table.render(60, false);
  EXPECT_NE(text.find("http://web1.swarm.localhost:7420/"), std::string::npos);
  EXPECT_EQ(text.find("CREATED"), std::string::npos) << "what is extra gives way first";
  EXPECT_EQ(text.find("…"), std::string::npos);
  std::string words;
  for (const std::string& line : linesOf(text)) {
    EXPECT_LE(displayWidth(line), 60u) << line;
    words += line + " ";
  }
  for (const char* word : {"workspace", "started", "because", "image", "gone"}) EXPECT_NE(words.find(word), std::string::npos) << word;
  EXPECT_NE(table.render(200, false).find("3 min ago"), std::string::npos);
  // Narrower than what must be whole: it is whole all the same.
  EXPECT_NE(table.render(20, false).find("http://web1.swarm.localhost:7420/"), std::string::npos);
}

TEST(Message, isWrappedAtBlanksAndKeepsWhatPeopleCopyWhole) {
  EXPECT_EQ(wrapMessage("one two three four\nfive\n", 9), "one two\nthree\nfour\nfive\n");
  EXPECT_EQ(wrapMessage("Run `swarm start web1` first", 12), "Run\n`swarm start web1`\nfirst");
  EXPECT_EQ(wrapMessage("see http://web1.swarm.localhost:7420/", 12), "see\nhttp://web1.swarm.localhost:7420/");
  EXPECT_EQ(wrapMessage("  --name: is taken", 80), "  --name: is taken");
}

TEST(Table, showsNoControlCharacterOfAnyoneAsItIs) {
  Table table({copied("NAME"), "STATUS"});
  table.add({"a\033]0;owned\a\u009b31m\u202e", Cell("running", "32")});
  const std::string text = table.render(0, true);
  EXPECT_EQ(text.find("\033]"), std::string::npos);
  EXPECT_EQ(text.find("\u009b"), std::string::npos);
  EXPECT_EQ(text.find("\u202e"), std::string::npos);
  EXPECT_NE(text.find("\033[32mrunning\033[0m"), std::string::npos) << "our own colours stay";
}

TEST(Table, countsACharacterOfSeveralBytesOnce) {
  EXPECT_EQ(displayWidth("…é"), 2u);
  EXPECT_EQ(displayWidth("\033[32mok\033[0m"), 2u);
}

TEST(Yaml, quotesWhatCouldBeMisread) {
  boost::json::value value = boost::json::parse(R"({"a":"true","b":"plain","c":["x: y",1,{"d":null}],"e":{}})");
  EXPECT_EQ(toYaml(value), "a: \"true\"\nb: plain\nc:\n  - \"x: y\"\n  - 1\n  - d: null\ne: {}\n");
}

TEST(PrettyJson, givesTheSameValueBack) {
  boost::json::value value = boost::json::parse(R"({"a":[1,{"b":"\"quoted\""}],"c":[],"d":{}})");
  EXPECT_EQ(boost::json::parse(prettyJson(value)), value);
}

TEST(Memory, takesTheUsualUnits) {
  EXPECT_EQ(parseMemory("4g"), 4096);
  EXPECT_EQ(parseMemory("1.5G"), 1536);
  EXPECT_EQ(parseMemory("512m"), 512);
  EXPECT_EQ(parseMemory("2048"), 2048);
  EXPECT_EQ(parseMemory("0"), 0);
  for (const char* wrong : {"", "x", "-1g", "4t", "4 g"}) EXPECT_THROW(parseMemory(wrong), Error) << wrong;
}

TEST(Rate, takesTheUsualUnitsOfASecond) {
  EXPECT_EQ(parseRate("10M"), 10 * 1024 * 1024);
  EXPECT_EQ(parseRate("500K"), 500 * 1024);
  EXPECT_EQ(parseRate("1.5G/s"), std::int64_t{1536} * 1024 * 1024);
  EXPECT_EQ(parseRate("4096"), 4096);
  for (const char* wrong : {"", "x", "-1M", "0", "4T", "10 M", "inf", "nan", "0.5"}) EXPECT_THROW(parseRate(wrong), Error) << wrong;
}

TEST(Quantities, areWrittenAsPeopleReadThem) {
  EXPECT_EQ(bytesText(0), "0 B");
  EXPECT_EQ(bytesText(5 * 1024 * 1024), "5.0 MB");
  EXPECT_EQ(bytesText(std::int64_t{3} * 1024 * 1024 * 1024 / 2), "1.5 GB");
  EXPECT_EQ(countText(7), "7");
  EXPECT_EQ(countText(100'000), "100,000");
  EXPECT_EQ(countText(1'234'567), "1,234,567");
  EXPECT_EQ(durationText(42), "42 s");
  EXPECT_EQ(durationText(23 * 3600 + 1700), "23 h");
  EXPECT_EQ(placeTitle(ProviderType::flyio, "ams"), "Fly.io (ams)");
  EXPECT_EQ(placeTitle(ProviderType::docker, ""), "Docker");
}

TEST(KeyValue, keepsWhatIsBehindTheFirstEqualsSign) {
  EXPECT_EQ(parseKeyValue("A=b=c", "--env"), std::make_pair(std::string("A"), std::string("b=c")));
  EXPECT_THROW(parseKeyValue("A", "--env"), Error);
  EXPECT_THROW(parseKeyValue("=b", "--env"), Error);
}

TEST(Numbers, areWrittenAsEveryReaderTakesThem) {
  boost::json::value value = boost::json::parse(R"({"a":2.0,"b":0.5,"c":1e20,"d":-3,"e":1.25e-7})");
  value.as_object()["a"] = 2.0;
  EXPECT_EQ(toYaml(value), "a: 2\nb: 0.5\nc: 100000000000000000000\nd: -3\ne: 0.000000125\n");
  EXPECT_EQ(boost::json::parse(prettyJson(value)).at("b").as_double(), 0.5);
}

TEST(Json, escapesWhatATerminalWouldActOn) {
  const boost::json::value value{{"a", "\033[31m\u009b\u202e\U000e0001é"}};
  const std::string text = prettyJson(value);
  EXPECT_EQ(boost::json::parse(text), value) << "the same value";
  EXPECT_NE(text.find("\\u009b\\u202e\\udb40\\udc01é"), std::string::npos) << text;
}

TEST(LogFilter, keepsColoursAndLinesAndNothingElse) {
  LogFilter filter;
  std::string out;
  for (const char* piece : {"\033[3", "1mred\033[0m\r\n", "\033]0;title\a\033[2Jx\n", "rest"}) out += filter.feed(piece);
  out += filter.finish();
  EXPECT_EQ(out, "\033[31mred\033[0m\n␛]0;title␇␛[2Jx\nrest");
}

TEST(Since, takesAgesAndTimes) {
  const SystemTime now = parseTime("2026-05-01T12:00:00.000Z");
  EXPECT_EQ(sinceTime("5m", now), "2026-05-01T11:55:00.000Z");
  EXPECT_EQ(sinceTime("2h", now), "2026-05-01T10:00:00.000Z");
  EXPECT_EQ(sinceTime("1d", now), "2026-04-30T12:00:00.000Z");
  EXPECT_EQ(sinceTime("90s", now), "2026-05-01T11:58:30.000Z");
  for (const char* other : {"", "2026-05-01T11:55:00Z"}) EXPECT_EQ(sinceTime(other, now), other);
  for (const char* wrong : {"5x", "m", "yesterday"}) EXPECT_THROW(sinceTime(wrong, now), Error) << wrong;
}

}  // namespace
}  // namespace swarm::cli
