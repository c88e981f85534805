// Pages: complete, escaped, and without content from other hosts.
#include "gateway/pages/pages.h"

#include <gtest/gtest.h>

#include "gateway/pages/move_status.h"
#include "gateway/pages/responses.h"

namespace swarm::gateway {
namespace {

const std::string kHostile = "<script>alert('x')</script>\"&";

TEST(Pages, escapeAllValues) {
  const std::vector<Page> pages{
      signInPage({.user = kHostile, .next = kHostile, .problem = kHostile}),
      landingPage(
          {.user = kHostile, .role = Role::admin, .sessionId = {}, .expiresAt = {}},
          {{.name = kHostile, .owner = kHostile, .url = kHostile, .status = InstanceStatus::failed, .mayChange = true, .note = kHostile}},
          true),
      waitingPage({.kind = WaitingKind::Starting, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Stopped, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Failed, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Moving,
                   .name = kHostile,
                   .moving = std::make_shared<const MoveProgress>(MoveProgress{.to = kHostile, .step = kHostile})}),
      messagePage({.title = kHostile, .text = kHostile, .detail = kHostile, .linkText = kHostile, .link = kHostile}),
  };
  for (const auto& page : pages) {
    EXPECT_EQ(page.html.find("alert('x')"), std::string::npos);
    EXPECT_EQ(page.html.find("<script>"), std::string::npos);
    EXPECT_NE(page.html.find("&lt;script&gt;alert(&#39;x&#39;)"), std::string::npos);
    EXPECT_TRUE(page.html.starts_with("<!doctype html>"));
    EXPECT_TRUE(page.html.ends_with("</html>\n"));
  }
}

TEST(Pages, loadNothingFromOtherHosts) {
  const auto page = waitingPage({.kind = WaitingKind::Starting, .name = "ws", .step = "pull image", .reason = {}});
  for (const auto* word : {"http://", "https://", "src=", "@import", "url("}) EXPECT_EQ(page.html.find(word), std::string::npos) << word;
}

TEST(Pages, useANonceOnce) {
  const auto first = signedOutPage();
  const auto second = signedOutPage();
  EXPECT_NE(first.nonce, second.nonce);
  EXPECT_NE(first.html.find("nonce=\"" + first.nonce + "\""), std::string::npos);
}

TEST(MoveStatus, roundsTheTimeLeft) {
  EXPECT_EQ(aboutTime(-1), "");
  EXPECT_EQ(aboutTime(0), "about 1 s");
  EXPECT_EQ(aboutTime(7), "about 7 s");
  EXPECT_EQ(aboutTime(21), "about 25 s");
  EXPECT_EQ(aboutTime(100), "about 2 min");
  EXPECT_EQ(aboutTime(3 * 3600), "about 3 h");
}

TEST(FormField, decodesAndRefusesBadEscapes) {
  EXPECT_EQ(formField("user=a+b%26&password=%C3%A9", "user"), "a b&");
  EXPECT_EQ(formField("user=a&password=%2B", "password"), "+");
  EXPECT_EQ(formField("user=%zz", "user"), std::nullopt);
  EXPECT_EQ(formField("a=b", "user"), std::nullopt);
}

}  // namespace
}  // namespace swarm::gateway
