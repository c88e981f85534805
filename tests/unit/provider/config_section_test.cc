// Tables of swarm.toml, and variables of the environment.
#include "provider/config_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "provider/variables.h"
#include "support/temp_dir.h"

namespace swarm::test {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Pair;

class ConfigSectionTest : public ::testing::Test {
 protected:
  ConfigSection parse(std::string_view text) { return ConfigSection::parse(folder_.write("swarm.toml", text).string()); }

  template <typename Work>
  static std::string messageOf(Work work) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      return error.message();
    }
    return "";
  }

  /// Of reading "key", which stands in line 2, as a T.
  template <typename T>
  std::string faultOf(std::string_view value) {
    return messageOf([&] {
      T into{};
      parse("# text\nkey = " + std::string(value)).read("key", into);
    });
  }

 private:
  TempDir folder_;
};

TEST_F(ConfigSectionTest, readsEveryType) {
  ConfigSection root = parse(R"(
text = "a"
flag = true
whole = -7
port = 2376
number = 2
path = "/a/b"
map = { team = "blue" }
list = ["a", "b"]
)");
  std::string text;
  bool flag = false;
  int whole = 0;
  std::uint16_t port = 0;
  double number = 0;
  std::filesystem::path path;
  std::map<std::string, std::string> map;
  std::vector<std::string> list{"replaced"};
  root.read("text", text);
  root.read("flag", flag);
  root.read("whole", whole);
  root.read("port", port);
  root.read("number", number);
  root.read("path", path);
  root.read("map", map);
  root.read("list", list);
  root.refuseUnknown();
  EXPECT_EQ(text, "a");
  EXPECT_TRUE(flag);
  EXPECT_EQ(whole, -7);
  EXPECT_EQ(port, 2376);
  EXPECT_EQ(number, 2.0);
  EXPECT_EQ(path, "/a/b");
  EXPECT_THAT(map, ElementsAre(Pair("team", "blue")));
  EXPECT_THAT(list, ElementsAre("a", "b"));
}

TEST_F(ConfigSectionTest, keepsTheDefaultOfAnAbsentKey) {
  ConfigSection root = parse("");
  std::string text = "default";
  std::vector<std::string> list{"default"};
  root.read("text", text);
  root.read("list", list);
  EXPECT_EQ(text, "default");
  EXPECT_THAT(list, ElementsAre("default"));
  EXPECT_FALSE(root.child("table"));
}

TEST_F(ConfigSectionTest, namesLineKeyAndExpectedValue) {
  EXPECT_THAT(faultOf<std::string>("1"), EndsWith("swarm.toml:2: \"key\" must be text in quotes."));
  EXPECT_THAT(faultOf<std::filesystem::path>("1"), EndsWith(":2: \"key\" must be text in quotes."));
  EXPECT_THAT(faultOf<bool>("1"), EndsWith(":2: \"key\" must be true or false."));
  EXPECT_THAT(faultOf<int>("1.5"), EndsWith(":2: \"key\" must be a whole number."));
  EXPECT_THAT(faultOf<double>("true"), EndsWith(":2: \"key\" must be a number."));
  using Map = std::map<std::string, std::string>;
  EXPECT_THAT(faultOf<Map>("1"), EndsWith(":2: \"key\" must be a table of texts, like { team = \"blue\" }."));
  EXPECT_THAT(faultOf<Map>("{ team = 1 }"), EndsWith(":2: \"team\" must be text in quotes."));
  EXPECT_THAT(faultOf<std::vector<std::string>>("\"a\""), EndsWith(":2: \"key\" must be a list of texts, like [\"10.0.0.1\"]."));
  EXPECT_THAT(faultOf<std::vector<std::string>>("[1]"), EndsWith(":2: \"key\" must be a list of texts."));
  EXPECT_THAT(messageOf([&] { parse("# text\nkey = 1").child("key"); }), EndsWith(":2: \"key\" must be a table."));
  EXPECT_THAT(messageOf([&] { parse("# text\n[key"); }), ::testing::HasSubstr("swarm.toml:2: "));
}

TEST_F(ConfigSectionTest, refusesAMisspeltKeyWithTheOnesThatItKnows) {
  ConfigSection root = parse("[a.b]\nhost = \"x\"\nprot = 1\n");
  EXPECT_THAT(root.childNames(), ElementsAre("a"));
  ConfigSection section = *root.child("a")->child("b");
  std::string host;
  int port = 0;
  section.read("host", host);
  section.read("port", port);
  EXPECT_THAT(messageOf([&] { section.refuseUnknown(); }),
              EndsWith("swarm.toml:3: unknown key \"prot\" in [a.b]. Expected one of: host, port."));
  EXPECT_THAT(messageOf([&] { parse("x = 1").refuseUnknown(); }), EndsWith(":1: unknown key \"x\". Expected one of: ."));
}

TEST(Variables, areReplacedByFlags) {
  const Variables variables({{"HOME", "/elsewhere"}, {"PATH", std::nullopt}, {"SWARM_UNSET_LIST", "a,,b,"}});
  EXPECT_EQ(variables.get("HOME"), "/elsewhere");
  EXPECT_EQ(variables.get("PATH"), std::getenv("PATH")) << "the flag was not given";
  EXPECT_EQ(variables.get("SWARM_UNSET"), std::nullopt);
  std::filesystem::path path;
  EXPECT_TRUE(variables.read("HOME", path));
  EXPECT_EQ(path, "/elsewhere");
  std::vector<std::string> list;
  EXPECT_TRUE(variables.read("SWARM_UNSET_LIST", list));
  EXPECT_THAT(list, ElementsAre("a", "b"));
  EXPECT_FALSE(variables.read("SWARM_UNSET", list));
  EXPECT_THAT(list, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace swarm::test
