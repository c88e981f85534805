// Pages: complete, escaped, and without content from other hosts.
#include "gateway/pages/pages.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "gateway/assets/assets.h"
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
          {.create = true, .identities = true}),
      identitiesPage({.user = kHostile,
                      .found = {Identity{.provider = kHostile,
                                         .issuer = kHostile,
                                         .subject = kHostile,
                                         .email = kHostile,
                                         .claims = {{kHostile, kHostile}},
                                         .role = kHostile,
                                         .groups = {kHostile},
                                         .notes = {kHostile}}},
                      .users = {kHostile},
                      .problem = kHostile}),
      waitingPage({.kind = WaitingKind::Starting, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Stopped, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Failed, .name = kHostile, .step = kHostile, .reason = kHostile}),
      waitingPage({.kind = WaitingKind::Moving,
                   .name = kHostile,
                   .moving = std::make_shared<const MoveProgress>(MoveProgress{.to = kHostile, .step = kHostile})}),
      invitePage({.user = kHostile, .problem = kHostile}),
      enterPage({.name = kHostile, .owner = kHostile, .host = kHostile, .binding = kHostile, .path = kHostile, .proof = kHostile}),
      messagePage({.title = kHostile, .text = kHostile, .detail = kHostile, .linkText = kHostile, .link = kHostile}),
  };
  for (const auto& page : pages) {
    EXPECT_EQ(page.html.find("alert('x')"), std::string::npos);
    EXPECT_EQ(page.html.find("<script>", page.html.find("<script>") + 1), std::string::npos) << "only its own script";
    EXPECT_NE(page.html.find("&lt;script&gt;alert(&apos;x&apos;)"), std::string::npos);
    EXPECT_TRUE(page.html.starts_with("<!doctype html>"));
    EXPECT_TRUE(page.html.ends_with("</html>\n"));
  }
}

TEST(Pages, loadNothingFromOtherHosts) {
  const auto page = waitingPage({.kind = WaitingKind::Starting, .name = "ws", .step = "pull image", .reason = {}});
  for (const auto* word : {"http://", "https://", "src=", "@import", "url("}) EXPECT_EQ(page.html.find(word), std::string::npos) << word;
}

TEST(Pages, allowOnlyTheirOwnStyleAndScript) {
  const auto inner = [](const Page& page, const std::string& tag) {
    const auto begin = page.html.find("<" + tag + ">") + tag.size() + 2;
    return page.html.substr(begin, page.html.find("</" + tag + ">", begin) - begin);
  };
  const auto source = [](std::string_view text) { return "'sha256-" + toBase64(sha256(text)) + "'"; };
  for (const auto& page : {landingPage({.user = "ada", .role = Role::user, .sessionId = {}, .expiresAt = {}}, {}, {.create = true}),
                           waitingPage({.kind = WaitingKind::Failed, .name = "ws"})}) {
    EXPECT_NE(page.policy.find("style-src " + source(inner(page, "style")) + ";"), std::string::npos) << page.policy;
    EXPECT_NE(page.policy.find("script-src " + source(inner(page, "script")) + ";"), std::string::npos) << page.policy;
  }
  const auto without_script = signedOutPage();
  EXPECT_NE(without_script.policy.find("script-src 'none'"), std::string::npos);
  EXPECT_EQ(without_script.html.find("<script"), std::string::npos);
}

TEST(Pages, insertOnlyStyleAndScriptUnescaped) {
  for (const auto text : {assets::brandHtml(), assets::continueHtml(), assets::enterHtml(), assets::identitiesHtml(), assets::inviteHtml(),
                          assets::landingHtml(), assets::messageHtml(), assets::signInHtml(), assets::signInByLinkHtml(),
                          assets::signedOutHtml(), assets::waitingHtml()})
    for (const auto* unescaped : {"{{{", "{{&", "{{="}) EXPECT_EQ(text.find(unescaped), std::string_view::npos) << text;
  std::string layout(assets::layoutHtml());
  for (const std::string allowed : {"<style>{{{style}}}</style>", "<script>{{{script}}}</script>"}) {
    const auto at = layout.find(allowed);
    ASSERT_NE(at, std::string::npos) << allowed;
    layout.erase(at, allowed.size());
  }
  EXPECT_EQ(layout.find("{{{"), std::string::npos);
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
