// Ids, encodings and digests.
#include "base/id.h"

#include <rapidcheck.h>

#include <set>
#include <thread>

#include "gmock/gmock.h"

namespace swarm {
namespace {

TEST(Base64Url, givesBackEveryText) {
  rc::check([](const std::string& bytes) {
    std::string text = toBase64Url(bytes);
    RC_ASSERT(fromBase64Url(text) == bytes);
    RC_ASSERT(text.find_first_of("+/=") == std::string::npos);
  });
}

TEST(Base64Url, isTheStandards) {
  // RFC 4648 §10, without padding.
  EXPECT_EQ(toBase64Url(""), "");
  EXPECT_EQ(toBase64Url("f"), "Zg");
  EXPECT_EQ(toBase64Url("fo"), "Zm8");
  EXPECT_EQ(toBase64Url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(toBase64Url("\xfb\xff"), "-_8");
  EXPECT_EQ(toBase64("fo"), "Zm8=");
  EXPECT_EQ(toBase64("\xfb\xff"), "+/8=");
}

TEST(Base64Url, refusesWrongDigitsLengthsAndSecondSpellings) {
  for (const char* text : {"Z", "Zm9vY", "Zg==", "Zm 8", "Zm8\n", "-/8", "+_8", "Zh", "Zm9"}) EXPECT_FALSE(fromBase64Url(text)) << text;
  EXPECT_FALSE(fromBase64Url(std::string("Zg\0", 3)));
}

TEST(Base64Url, hasOneSpellingForEachText) {
  rc::check([](const std::string& text) {
    if (auto bytes = fromBase64Url(text)) RC_ASSERT(toBase64Url(*bytes) == text);
  });
}

TEST(Base64, isReadWithItsPaddingAlone) {
  rc::check([](const std::string& bytes) { RC_ASSERT(fromBase64(toBase64(bytes)) == bytes); });
  for (const char* text : {"Zm8", "Zg=", "Zg===", "Z===", "====", "Zm8=\n", "-_8=", "Zg=g", "Zh=="}) EXPECT_FALSE(fromBase64(text)) << text;
}

TEST(Hex, givesBackEveryText) {
  rc::check([](const std::string& bytes) { RC_ASSERT(fromHex(toHex(bytes)) == bytes); });
  EXPECT_EQ(toHex(std::string("\x00\xff", 2)), "00ff");
  EXPECT_EQ(fromHex("00FF"), std::string("\x00\xff", 2));
  EXPECT_FALSE(fromHex("0"));
  EXPECT_FALSE(fromHex("0g"));
}

TEST(NewId, isADnsLabelWithItsPrefix) {
  std::string id = newId("op");
  EXPECT_TRUE(id.starts_with("op-"));
  EXPECT_EQ(id.size(), 3u + 26u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
}

TEST(NewId, sortsByTheOrderOfItsMakingAlsoWithinAMillisecond) {
  std::string before = newId("i");
  for (int i = 0; i < 5000; ++i) {
    std::string next = newId("i");
    ASSERT_LT(before, next);
    before = next;
  }
}

TEST(NewId, isNeverTheSameTwiceOnManyThreads) {
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids] {
        for (int i = 0; i < 5000; ++i) ids.push_back(newId("i"));
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 20'000u);
}

TEST(RandomBytes, haveTheirLengthAndDiffer) {
  EXPECT_EQ(randomBytes(0), "");
  EXPECT_EQ(randomBytes(33).size(), 33u);
  EXPECT_NE(randomBytes(16), randomBytes(16));
}

TEST(Digest, isTheStandards) {
  EXPECT_EQ(toHex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  EXPECT_EQ(toHex(hmacSha256("Jefe", "what do ya want for nothing?")),                                  // RFC 4231 §4.3
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(EqualConstantTime, comparesBytes) {
  EXPECT_TRUE(equalConstantTime("", ""));
  EXPECT_TRUE(equalConstantTime("abc", "abc"));
  EXPECT_FALSE(equalConstantTime("abc", "abd"));
  EXPECT_FALSE(equalConstantTime("abc", "ab"));
  EXPECT_FALSE(equalConstantTime(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace swarm
