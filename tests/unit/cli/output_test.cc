// Tables, YAML and the small parsers of the command line.
#include "cli/output.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "cli/quantities.h"
#include "cli/verbs.h"

namespace swarm::cli {
namespace {

TEST(Table, alignsItsColumns) {
  Table table({"NAME", "STATUS"});
  table.add({"a", "running"});
  table.add({"longer-name", "stopped"});
  EXPECT_EQ(table.render(0, false), "NAME         STATUS\na            running\nlonger-name  stopped\n");
}

TEST(Table, cutsTheWidestColumnWhenTheTerminalIsNarrow) {
  Table table({"NAME", "URL"});
  table.add({"web1", "http://a-very-long-name.localhost:7420/"});
  std::string text = table.render(24, false);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    EXPECT_LE(displayWidth(std::string_view(text).substr(begin, end - begin)), 24u);
  }
  EXPECT_NE(text.find("web1"), std::string::npos);
  EXPECT_NE(text.find("…"), std::string::npos);
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
  for (const char* wrong : {"", "x", "-1g", "4t", "0", "4 g"}) EXPECT_THROW(parseMemory(wrong), Error) << wrong;
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
  EXPECT_EQ(placeText(ProviderType::flyio, "ams"), "Fly.io (ams)");
  EXPECT_EQ(placeText(ProviderType::docker, ""), "Docker");
}

TEST(KeyValue, keepsWhatIsBehindTheFirstEqualsSign) {
  EXPECT_EQ(parseKeyValue("A=b=c", "--env"), std::make_pair(std::string("A"), std::string("b=c")));
  EXPECT_THROW(parseKeyValue("A", "--env"), Error);
  EXPECT_THROW(parseKeyValue("=b", "--env"), Error);
}

TEST(Completion, knowsWhereAWorkspaceCanMove) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completionScript(shell, {"migrate"});
    EXPECT_NE(script.find("docker flyio"), std::string::npos) << shell;
    EXPECT_NE(script.find("swarm providers regions"), std::string::npos) << shell;
    EXPECT_EQ(script.find('@'), std::string::npos) << "a placeholder was left for " << shell;
  }
}

TEST(Completion, bashScriptIsValidAndKnowsTheVerbs) {
  std::string script = completionScript("bash", {"create", "list"});
  EXPECT_NE(script.find("create list"), std::string::npos);
  EXPECT_EQ(script.find('@'), std::string::npos) << "a placeholder was left";
  FILE* shell = ::popen("bash -n", "w");
  ASSERT_NE(shell, nullptr);
  std::fwrite(script.data(), 1, script.size(), shell);
  EXPECT_EQ(::pclose(shell), 0);
}

}  // namespace
}  // namespace swarm::cli
