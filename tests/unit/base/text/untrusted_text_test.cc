// Untrusted text: what is kept, what is replaced, where it is truncated.
#include "base/text/untrusted_text.h"

#include <rapidcheck.h>

#include "base/error.h"
#include "base/text/utf8.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kReplacement = "\xef\xbf\xbd";

bool isClean(std::string_view text, LineBreaks breaks) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = firstCharacter(text.substr(at));
    const bool kept = breaks == LineBreaks::Keep && (character.code == '\n' || character.code == '\t');
    if (character.bytes == 0 || !(isPrintable(character.code) || kept)) return false;
    at += character.bytes;
  }
  return true;
}

TEST(Utf8, hasNoOverlongNoSurrogateAndNoCutSequences) {
  EXPECT_TRUE(isUtf8("grün 🎉"));
  EXPECT_EQ(toValidUtf8("grün 🎉"), "grün 🎉");
  for (std::string_view bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                               "\x80", "\xe2\x82", "\xe2\x82x", "\xf0\x9f\x98", "\xff"}) {
    EXPECT_FALSE(isUtf8(bad));
    EXPECT_TRUE(isUtf8(toValidUtf8(bad)));
    EXPECT_THAT(toValidUtf8(bad), HasSubstr(kReplacement));
  }
  EXPECT_EQ(toValidUtf8("\xed\xa0\x80"), kReplacement + kReplacement + kReplacement);
}

TEST(Utf8, decodesEveryCharacter) {
  EXPECT_EQ(firstCharacter("a").code, U'a');
  EXPECT_EQ(firstCharacter("ü").code, U'ü');
  EXPECT_EQ(firstCharacter("…").code, U'…');
  EXPECT_EQ(firstCharacter("🎉").code, U'🎉');
  EXPECT_EQ(firstCharacter("\xf4\x8f\xbf\xbf").code, char32_t{0x10ffff});
  EXPECT_EQ(firstCharacter("").bytes, 0u);
}

TEST(UntrustedText, keepsWhatPeopleRead) {
  const std::string text = "Größe 日本語 עברית عربى 🎉 ✓ \"quoted\" \\ e\xcc\x81";
  EXPECT_EQ(printable(text), text);
}

TEST(UntrustedText, showsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("\x1b[31mred\x1b]0;title\x07"), "␛[31mred␛]0;title␇");
  EXPECT_EQ(printable(std::string_view("a\0b\x7f", 4)), "a␀b␡");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            kReplacement + "31m")
      << "C1's CSI";
  EXPECT_EQ(printable("one\r\ntwo\tthree"), "one  two three");
  EXPECT_EQ(printable("one\xe2\x80\xa8two"), "one two") << "a line separator";
  EXPECT_EQ(printable("one\ntwo\tthree\r", 100, LineBreaks::Keep), "one\ntwo\tthree ");
}

TEST(UntrustedText, showsWhatWouldHideOrTurnItsNeighbours) {
  for (char32_t code : {0x202eU, 0x202aU, 0x2066U, 0x2069U, 0x200bU, 0x200dU, 0x200eU, 0x061cU, 0xfeffU, 0x00adU, 0x2060U, 0xe0041U,
                        0xfff9U, 0x3164U, 0x9bU, 0x85U, 0x7fU, 0x1bU}) {
    EXPECT_FALSE(isPrintable(code)) << std::hex << static_cast<unsigned>(code);
  }
  EXPECT_EQ(printable("safe\xe2\x80\xae"
                      "gpj.exe"),
            "safe" + kReplacement + "gpj.exe");
}

TEST(UntrustedText, replacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(printable("a\xff\xc3"), "a" + kReplacement + kReplacement);
  EXPECT_EQ(printable("\x9b"
                      "2J"),
            kReplacement + "2J")
      << "CSI in Latin 1";
}

TEST(UntrustedText, isCutBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abc…");
  EXPECT_EQ(printable("äöüß", 7), "äö…");
  EXPECT_EQ(printable("日本語", 8), "日…");
  EXPECT_EQ(printable("abc", 2), "") << "no room for the ellipsis";
  EXPECT_EQ(printable("abc", 0), "");
  EXPECT_LE(printable(std::string(15'000'000, 'x')).size(), kMaxUntrustedText);
}

TEST(UntrustedText, isPrintableBoundedAndSettledWhateverItWas) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    const std::size_t limit = *rc::gen::inRange<std::size_t>(0, 64);
    for (const LineBreaks breaks : {LineBreaks::Replace, LineBreaks::Keep}) {
      const std::string text = printable(bytes, limit, breaks);
      RC_ASSERT(text.size() <= limit);
      RC_ASSERT(isClean(text, breaks));
      RC_ASSERT(printable(text, limit, breaks) == text);
    }
  }));
}

TEST(Error, isBoundedAndPrintableWhateverItQuotes) {
  const std::string hostile = std::string(15'000'000, 'x') + "\x1b[31m";
  const Error error = Error(ErrorCode::UpstreamFailed, "\x1b[2J" + hostile).withCause(hostile).withField("/\x1b", hostile);
  EXPECT_LE(error.message().size(), Error::kMaxText);
  EXPECT_LE(error.cause().size(), Error::kMaxText);
  EXPECT_LE(error.fields().front().detail.size(), Error::kMaxText);
  for (const std::string& text : {error.message(), error.cause(), error.fields().front().pointer})
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(Error(ErrorCode::Internal, "two\nlines").message(), "two\nlines");
}

}  // namespace
}  // namespace swarm
