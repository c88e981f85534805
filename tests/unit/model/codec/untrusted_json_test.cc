// Parsing that costs what its limits allow, whatever comes.
#include "model/codec/untrusted_json.h"

#include <rapidcheck.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "gmock/gmock.h"

namespace swarm {
namespace {

using testing::HasSubstr;

/// In pieces of `piece` bytes.
boost::json::value parsed(std::string_view text, JsonLimits limits = {}, std::size_t piece = 7) {
  UntrustedJson json(limits);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) json.add(text.substr(0, piece));
  return json.finish();
}

std::string reasonFor(std::string_view text, JsonLimits limits = {}) {
  try {
    parsed(text, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::UpstreamFailed);
    return error.message();
  }
  return "";
}

TEST(UntrustedJson, readsWhatTheParserReadsInPiecesOfAnySize) {
  const std::string text = R"( {"a":[1,-2,18446744073709551615,0.5,true,false,null,"tä\u00fcxt\n"],"key":{"":[]}} )";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(parsed(text, {}, piece), boost::json::parse(text)) << piece;
}

TEST(UntrustedJson, refusesWhatIsNotJson) {
  for (std::string_view text :
       {"", " ", "{", "[1", "\"a", "nul", "{\"a\":}", "{} {}", "[1,]", "// no\n1", "\"\xff\"", "\"\x01\"", "1e", "NaN"})
    EXPECT_NE(reasonFor(text), "") << text;
  EXPECT_EQ(reasonFor("[1"), "it ends too early");
}

TEST(UntrustedJson, refusesNumbersThatJsonCannotExpress) {
  for (std::string_view text : {R"({"a":0e22222222})", "[1e999]", "[-1e999]"}) EXPECT_NE(reasonFor(text), "") << text;
  EXPECT_EQ(parsed("[0e3,1e300]"), boost::json::parse("[0e3,1e300]"));
}

TEST(UntrustedJson, refusesMoreThanItsLimits) {
  EXPECT_EQ(reasonFor("[" + std::string(100, ' ') + "]", {.bytes = 101}), "it has more than 101 bytes");
  EXPECT_EQ(reasonFor("[" + std::string(100, ' ') + "]", {.bytes = 102}), "");
  EXPECT_EQ(reasonFor("[1,[],{}]", {.values = 4}), "");
  EXPECT_EQ(reasonFor("[1,[],{}]", {.values = 3}), "it has more than 3 values");
  EXPECT_EQ(reasonFor(R"({"a":1})", {.values = 2}), "it has more than 2 values") << "keys count";
  EXPECT_EQ(reasonFor("[[[]]]", {.depth = 3}), "");
  EXPECT_EQ(reasonFor("[[[]]]", {.depth = 2}), "it is nested deeper than 2 levels");
}

TEST(UntrustedJson, givesUpWithTheFirstValueTooMany) {
  UntrustedJson json({.bytes = SIZE_MAX, .values = 10});
  json.add("[[],[],[],[],");
  EXPECT_THROW(json.add("[],[],[],[],[],[],[],"), Error);
}

TEST(UntrustedJson, cutsStringsThatAreTooLong) {
  UntrustedJson json({.string = 5});
  for (std::string_view piece : {"[\"123", "45", "6\",\"", "abc\",", "{\"longer key\":1}]"}) json.add(piece);
  EXPECT_EQ(boost::json::serialize(json.finish()), R"(["12345","abc",{"longe":1}])");
  EXPECT_TRUE(json.cut());
}

TEST(UntrustedJson, endsWellOrWithAnErrorWhateverTheBytes) {
  EXPECT_TRUE(rc::check([](const std::string& bytes, const std::vector<std::size_t>& ends) {
    UntrustedJson json({.bytes = 1000, .values = 20, .depth = 3, .string = 4});
    try {
      std::string_view left = bytes;
      for (std::size_t end : ends) {
        const std::size_t some = left.empty() ? 0 : end % left.size();
        json.add(left.substr(0, some));
        left.remove_prefix(some);
      }
      json.add(left);
      json.finish();
    } catch (const Error&) {
    }
  }));
}

}  // namespace
}  // namespace swarm
