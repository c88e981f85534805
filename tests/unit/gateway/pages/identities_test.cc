// The page of the claims of sign-ins, for administrators.
#include "oidc/sign_in/identity_providers.h"
#include "unit/gateway/browser.h"

namespace swarm::gateway::testing {
namespace {

class MemoryIdentities : public IdentityStore {
 public:
  awaitable<std::vector<Identity>> list(IdentityFilter filter) override {
    Identity ada{.provider = "corp", .issuer = "https://id.example.com", .subject = "u1", .user = "ada", .role = "operator"};
    ada.claims = {{"groups", boost::json::array{"staff", "sre"}}, {"name", "Ada <b>"}};
    ada.groups = {"sre"};
    ada.notes = {"The role stays."};
    co_return filter.user == "ada" ? std::vector{ada} : std::vector<Identity>();
  }
  awaitable<void> put(Identity) override { co_return; }
  awaitable<void> putWithUser(Identity, UserRecord) override { co_return; }
};

class ClaimsPage : public BrowserTest {
 protected:
  ClaimsPage() {
    oidc::ProviderConfig config;
    config.name = "corp";
    providers_ =
        std::make_unique<oidc::IdentityProviders>(std::vector{config}, oidc::IdentityProviders::Parts{.auth = auth_,
                                                                                                      .identities = identities_,
                                                                                                      .audit = nullptr,
                                                                                                      .clock = clock_,
                                                                                                      .loop = context_.get_executor(),
                                                                                                      .origin = "http://swarm.localhost"});
    GatewayOptions options;
    options.providers = providers_.get();
    rebuildGateway(std::move(options));
  }

  MemoryIdentities identities_;
  std::unique_ptr<oidc::IdentityProviders> providers_;
};

TEST_F(ClaimsPage, showsAnAdministratorTheClaimsAndWhatTheyWereMappedTo) {
  run([&]() -> awaitable<void> {
    signInAs("root");
    EXPECT_NE((co_await browse(base("/"))).body.find("href=\"/identities\""), std::string::npos);
    const auto page = co_await browse(base("/identities?user=ada"));
    EXPECT_EQ(page.status, 200);
    for (const std::string text :
         {"[&quot;staff&quot;,&quot;sre&quot;]", "Ada &lt;b&gt;", "<dd>operator</dd>", "<dd>sre</dd>", "The role stays.", "u1"})
      EXPECT_NE(page.body.find(text), std::string::npos) << text << page.body;
    EXPECT_EQ(page.header("X-Frame-Options"), "DENY");
    EXPECT_NE((co_await browse(base("/identities?user=bob"))).body.find("bob has not signed in by"), std::string::npos);
  });
}

TEST_F(ClaimsPage, isForAdministratorsAlone) {
  run([&]() -> awaitable<void> {
    EXPECT_EQ((co_await visit(base("/identities"))).header("Location"), "/login?next=%2Fidentities");
    signInAs("ada");
    EXPECT_EQ((co_await browse(base("/"))).body.find("/identities"), std::string::npos);
    const auto page = co_await browse(base("/identities?user=ada"));
    EXPECT_EQ(page.status, 403);
    EXPECT_EQ(page.body.find("staff"), std::string::npos);
  });
}

}  // namespace
}  // namespace swarm::gateway::testing
