// What of a request the audit log shows.
#include "audit/visible.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "gmock/gmock.h"

namespace swarm {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

std::string shown(std::string_view body) { return json::serialize(visibleParts(json::parse(body))); }

TEST(AuditVisible, showsListedMembersAndHidesAllOthers) {
  EXPECT_EQ(shown(R"({"name":"web1","resources":{"cpu":{"cores":2.5}},"password":"s3cret","newThing":"s3cret"})"),
            R"({"name":"web1","resources":{"cpu":{"cores":2.5E0}},"password":"***","newThing":"***"})");
}

TEST(AuditVisible, hidesTextsOfMembersThatAreNotListedInsideOfListedOnes) {
  EXPECT_EQ(
      shown(R"({"network":{"regions":["ams"],"token":"s3cret","keys":["s3cret"],"docker":{"networkName":"n","new":{"a":"s3cret"}}}})"),
      R"({"network":{"regions":["ams"],"token":"***","keys":"***","docker":{"networkName":"n","new":{"a":"***"}}}})");
}

TEST(AuditVisible, showsOnlyWhichVariablesThereAre) {
  EXPECT_EQ(shown(R"({"env":{"TOKEN":"s3cret","name":"s3cret","role":{"a":"s3cret"},"GONE":null}})"),
            R"({"env":{"TOKEN":"***","name":"***","role":"***","GONE":null}})");
  EXPECT_EQ(shown(R"({"command":["mysql","-ps3cret"],"metadata":{"k":{"deep":"s3cret"}}})"), R"({"command":"***","metadata":{"k":"***"}})");
}

TEST(AuditVisible, boundsWhatItCopiesAndMakesItPrintable) {
  EXPECT_THAT(shown("{\"name\":\"a\\u001b[31mb\\u202e\"}"), Not(HasSubstr("\\u001b")));
  EXPECT_LT(shown("{\"name\":\"" + std::string(100'000, 'x') + "\"}").size(), 200U);
  std::string many = "{", deep = "{\"resources\":";
  for (int i = 0; i < 10'000; ++i) many += (i > 0 ? ",\"" : "\"") + std::string(100, 'k') + std::to_string(i) + "\":1";
  for (int i = 0; i < 20; ++i) deep += "{\"a\":";
  EXPECT_LT(shown(many + "}").size(), 64U * 80U);
  EXPECT_LT(shown(deep + "1" + std::string(21, '}')).size(), 100U);
  EXPECT_EQ(shown("[1]"), "{}");
  EXPECT_EQ(shown("null"), "{}");
}

}  // namespace
}  // namespace swarm
