// Log lines: one line per event whatever its texts contain, and no secrets.
#include "base/diagnostics/log.h"

#include <boost/json/parse.hpp>
#include <sstream>

#include "base/secret.h"
#include "base/text/utf8.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

using testing::HasSubstr;
using testing::Not;

class Log : public testing::Test {
 protected:
  ~Log() override { log::configure(log::Level::Info, log::Style::Text); }

  template <typename Function>
  std::string captured(Function function) {
    testing::internal::CaptureStderr();
    function();
    return testing::internal::GetCapturedStderr();
  }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }
};

TEST_F(Log, writesOneLineWithItsFields) {
  std::string text = captured([] { log::info("started", {{"port", 7420}, {"host", "a b"}, {"ok", true}, {"plain", "x"}}); });
  EXPECT_THAT(text, HasSubstr(" info    started port=7420 host=\"a b\" ok=true plain=x\n"));
  EXPECT_EQ(lines(text), 1);
}

TEST_F(Log, passesWarningsAndErrorsToATapAsJson) {
  std::vector<std::string> tapped;
  log::setTap([&](const std::string& line) { tapped.push_back(line); });
  captured([] {
    log::info("usual");
    log::warning("odd", {{"instance", "i-1"}, {"token", Secret("hush")}});
  });
  log::setTap({});
  captured([] { log::error("no tap is set"); });
  ASSERT_EQ(tapped.size(), 1u);
  boost::json::object line = boost::json::parse(tapped.front()).as_object();
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("message"), "odd");
  EXPECT_EQ(line.at("instance"), "i-1");
  EXPECT_EQ(line.at("token"), "***");
}

TEST_F(Log, cannotBeForgedByAFieldsValue) {
  for (log::Style style : {log::Style::Text, log::Style::Json}) {
    log::configure(log::Level::Info, style);
    std::string text = captured([] {
      log::info("sign-in failed", {{"user", "ann\n2026-01-01T00:00:00.000Z info    signed in user=admin\r\x1b[2K\x7f\"\\"}, {"empty", ""}});
    });
    EXPECT_EQ(lines(text), 1) << text;
    EXPECT_EQ(text.find_first_of("\r\x1b\x7f"), std::string::npos) << "a terminal must not act on it";
  }
}

TEST_F(Log, cannotBeForgedByItsMessage) {
  for (log::Style style : {log::Style::Text, log::Style::Json}) {
    log::configure(log::Level::Info, style);
    std::string text = captured([] { log::info("went wrong: a\nb\x1b[31m"); });
    EXPECT_EQ(lines(text), 1) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
}

TEST_F(Log, cannotBeForgedByAnUnquotedValueThatLooksLikeAField) {
  std::string text = captured([] { log::info("m", {{"user", "ann role=admin"}, {"other", "x=y"}}); });
  EXPECT_THAT(text, HasSubstr("user=\"ann role=admin\" other=\"x=y\"\n"));
}

TEST_F(Log, writesJsonThatParses) {
  log::configure(log::Level::Info, log::Style::Json);
  std::string text = captured([] { log::warning("odd \"thing\"", {{"a", "line\nbreak\ttab\\"}, {"n", -5}, {"f", 0.5}, {"b", false}}); });
  auto value = boost::json::parse(text);
  EXPECT_EQ(value.at("level"), "warning");
  EXPECT_EQ(value.at("message"), "odd \"thing\"");
  EXPECT_EQ(value.at("a"), "line\nbreak\ttab\\");
  EXPECT_EQ(value.at("n"), -5);
  EXPECT_EQ(value.at("b"), false);
}

TEST_F(Log, writesJsonThatParsesWhateverBytesItIsGiven) {
  log::configure(log::Level::Info, log::Style::Json);
  for (const std::string& bytes : {std::string("\xff\xfe"), std::string("\xed\xa0\x80"), std::string("a\0b", 3), std::string("\xc3")}) {
    std::string text = captured([&] { log::info("m", {{"v", bytes}}); });
    EXPECT_NO_THROW(boost::json::parse(text)) << text;
  }
  std::string text = captured([] { log::info("m", {{"inf", std::numeric_limits<double>::infinity()}, {"nan", std::nan("")}}); });
  EXPECT_NO_THROW(boost::json::parse(text)) << text;
}

TEST_F(Log, carriesNothingThatATerminalObeysOrThatTurnsALine) {
  const std::string hostile =
      "\xc2\x9b"
      "31m \xe2\x80\xae"
      "drow \xf3\xa0\x81\x81 \x9b";  // CSI of C1, right-to-left, a tag, a bare byte
  for (log::Style style : {log::Style::Text, log::Style::Json}) {
    log::configure(log::Level::Info, style);
    std::string text = captured([&] { log::info("m " + hostile, {{"v", hostile}}); });
    for (const char* bytes : {"\xc2\x9b", "\xe2\x80\xae", "\xf3\xa0"}) EXPECT_THAT(text, Not(HasSubstr(bytes)));
    EXPECT_THAT(text, HasSubstr("\\u202edrow \\udb40\\udc41"));
    EXPECT_TRUE(isUtf8(text));
    if (style == log::Style::Json) EXPECT_EQ(boost::json::parse(text).at("v").as_string().subview(0, 2), "\xc2\x9b");
  }
}

TEST_F(Log, holdsNoMoreOfATextThanALineShould) {
  for (log::Style style : {log::Style::Text, log::Style::Json}) {
    log::configure(log::Level::Info, style);
    const std::string endless(15'000'000, 'x');
    std::string text = captured([&] { log::info(endless, {{"v", endless}, {"escaped", std::string(1'000'000, '\x1b')}}); });
    EXPECT_LT(text.size(), 13'000u);
    EXPECT_THAT(text, HasSubstr("…"));
    if (style == log::Style::Json) EXPECT_NO_THROW(boost::json::parse(text));
  }
}

TEST_F(Log, leavesOutWhatIsBelowItsLevel) {
  log::configure(log::Level::Warning, log::Style::Text);
  EXPECT_EQ(captured([] {
              log::debug("d");
              log::info("i");
            }),
            "");
  EXPECT_THAT(captured([] { log::error("e"); }), HasSubstr(" error   e\n"));
}

TEST_F(Log, printsSecretsAsStars) {
  Secret secret("hunter2");
  std::string text = captured([&] { log::info("m", {{"password", secret}}); });
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("password=***"));
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
}

TEST(Secret, givesItsValueOnlyOnRequest) {
  Secret secret("s3");
  EXPECT_EQ(secret.reveal(), "s3");
  EXPECT_TRUE(Secret().empty());
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

}  // namespace
}  // namespace swarm
