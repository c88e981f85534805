// JSON of other programs, read leniently.
#include "base/text/json_access.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace swarm {
namespace {

TEST(JsonAccess, countsNumbersBeyond64BitsAsAbsent) {
  const boost::json::value value = boost::json::parse(R"({"code":3,"part":2.9,"large":1e300,"unsigned":18446744073709551615,"text":"3"})");
  EXPECT_EQ(integerAt(value, "code", 1), 3);
  EXPECT_EQ(integerAt(value, "part", 1), 2);
  for (const char* name : {"large", "unsigned", "text", "absent"}) EXPECT_EQ(integerAt(value, name, 1), 1) << name;
}

}  // namespace
}  // namespace swarm
