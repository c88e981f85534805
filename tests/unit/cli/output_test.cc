// Tables, YAML and the small parsers of the command line.
#include "cli/output.h"

#include <gtest/gtest.h>

#include <cstdio>

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

TEST(KeyValue, keepsWhatIsBehindTheFirstEqualsSign) {
  EXPECT_EQ(parseKeyValue("A=b=c", "--env"), std::make_pair(std::string("A"), std::string("b=c")));
  EXPECT_THROW(parseKeyValue("A", "--env"), Error);
  EXPECT_THROW(parseKeyValue("=b", "--env"), Error);
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
