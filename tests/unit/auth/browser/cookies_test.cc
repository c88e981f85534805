// Names of the server's cookies; how they are read and removed.
#include "auth/browser/cookies.h"

#include "gtest/gtest.h"

namespace swarm {
namespace {

TEST(Cookies, haveNamesOfTheirServerThatNoOtherHostMaySet) {
  const auto names = makeCookieNames("swarm.localhost:7420", true);
  EXPECT_NE(names.session, makeCookieNames("swarm.localhost:7421", true).session) << "two servers on one machine";
  EXPECT_EQ(names.session, makeCookieNames("swarm.localhost:7420", true).session);
  for (const auto& name : {names.session, names.state, names.mark, names.device}) EXPECT_TRUE(name.starts_with("__Host-")) << name;
  EXPECT_TRUE(names.ports.starts_with("__Secure-"));
  for (const auto& name : {names.session, names.state, names.mark, names.device, names.ports}) EXPECT_TRUE(isOurCookie(name)) << name;
  const auto plain = makeCookieNames("swarm.lan:7420", false);
  EXPECT_FALSE(plain.session.starts_with("__")) << "browsers accept the prefix only with Secure";
  EXPECT_TRUE(isOurCookie(plain.session));
  EXPECT_EQ(setCookie(plain, plain.session, "v", 5).find("Secure"), std::string::npos);
}

TEST(Cookies, returnASingleValueAndNoneOfSeveral) {
  net::HeaderViews headers;
  headers.add({"Cookie", "a=1; b=2;c=3 ; d"});
  headers.add({"cookie", "b=4"});
  EXPECT_EQ(findCookie(headers, "a").value, "1");
  EXPECT_EQ(findCookie(headers, "c").value, "3");
  EXPECT_EQ(findCookie(headers, "b").value, "");
  EXPECT_TRUE(findCookie(headers, "b").isAmbiguous());
  EXPECT_EQ(findCookie(headers, "x").count, 0);
  EXPECT_EQ(findCookie(headers, "d").count, 0);
  EXPECT_EQ(cookieBytes(headers), std::string_view("a=1; b=2;c=3 ; d").size() + 3);
}

TEST(Cookies, areRemovedForAllDomainsAndPathsWhereASiblingMayHavePlantedThem) {
  const auto plain = makeCookieNames("swarm.lan.example:7420", false);
  net::Headers out;
  expireCookie(plain, "swarm-x", "swarm.lan.example", "/a/b", out);
  std::string all;
  for (const auto& header : out) all += header.value + "\n";
  for (const auto* part :
       {"Path=/; HttpOnly; SameSite=Lax; Max-Age=0\n", "Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Domain=lan.example",
        "Path=/a; HttpOnly; SameSite=Lax; Max-Age=0; Domain=swarm.lan.example", "Path=/a; HttpOnly; SameSite=Lax; Max-Age=0\n"})
    EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
  out.clear();
  expireCookie(makeCookieNames("x:1", true), "__Host-swarm-x", "swarm.lan.example", "/a/b", out);
  EXPECT_EQ(out.size(), 1U);
}

}  // namespace
}  // namespace swarm
