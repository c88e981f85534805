// [oidc.NAME] of the configuration.
#include <gmock/gmock.h>

#include <fstream>

#include "base/error.h"
#include "oidc/provider/provider_config.h"
#include "support/temp_dir.h"

namespace swarm::oidc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProviderConfigs : public ::testing::Test {
 protected:
  std::vector<ProviderConfig> read(const std::string& text, const Variables& variables = Variables()) {
    std::ofstream(folder_ / "swarm.toml") << text;
    ConfigSection root = ConfigSection::parse((folder_ / "swarm.toml").string());
    auto section = root.child("oidc");
    return readProviders(*section, variables);
  }
  /// Of [oidc.corp] with these further lines.
  std::string faultOf(const std::string& lines, const std::string& issuer = "https://id.example.com") {
    try {
      read("[oidc.corp]\nissuer = \"" + issuer + "\"\nclientId = \"swarm\"\n" + lines);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      return error.message();
    }
    return {};
  }
  test::TempDir folder_;
};

TEST_F(ProviderConfigs, haveTheirSecretFromAFileOrAVariable) {
  std::ofstream(folder_ / "secret") << "s3cret\n";
  const std::string text =
      "[oidc.my-corp]\nissuer = \"https://id.example.com/realm\"\nclientId = \"swarm\"\nallowedDomains = "
      "[\"@Example.com\"]\nclientSecretFile = \"" +
      (folder_ / "secret").string() + "\"\n[oidc.my-corp.roles]\nops = \"operator\"\n";
  const auto providers = read(text);
  ASSERT_EQ(providers.size(), 1u);
  EXPECT_EQ(providers[0].name, "my-corp");
  EXPECT_EQ(providers[0].title, "my-corp");
  EXPECT_EQ(providers[0].clientSecret.reveal(), "s3cret");
  EXPECT_THAT(providers[0].allowedDomains, ElementsAre("example.com"));
  EXPECT_EQ(providers[0].roles.at("ops"), Role::operator_);
  const Variables variables({{"SWARM_OIDC_MY_CORP_CLIENT_SECRET", "other"}});
  EXPECT_EQ(read(text, variables)[0].clientSecret.reveal(), "other");
}

TEST_F(ProviderConfigs, areRefusedWithTheKeyThatIsWrong) {
  EXPECT_EQ(faultOf(""), "");
  EXPECT_THAT(faultOf("", "http://id.example.com"), HasSubstr("issuer must begin with https://"));
  EXPECT_EQ(faultOf("", "http://127.0.0.1:4711"), "") << "on this machine";
  EXPECT_THAT(faultOf("", "id.example.com"), HasSubstr("issuer"));
  EXPECT_THAT(faultOf("createUsers = true"), HasSubstr("createUsers requires"));
  EXPECT_THAT(faultOf("clientSecretFile = \"/nowhere/secret\""), HasSubstr("cannot be read"));
  EXPECT_THAT(faultOf("clientSecretFile = \"/nowhere/secret\"\nclientSecret = \"x\""), Not(HasSubstr("\"x\"")));
  EXPECT_THAT(faultOf("[oidc.corp.roles]\nops = \"root\""), HasSubstr("\"root\""));
  EXPECT_THAT(faultOf("[oidc.corp.groups]\nops = \"Not A Name\""), HasSubstr("\"Not A Name\""));
  EXPECT_THAT(faultOf("[oidc.corp.links]\nada = \"ada\""), HasSubstr("e-mail address"));
  EXPECT_THAT(faultOf("unknown = 1"), HasSubstr("unknown key \"unknown\""));
  EXPECT_THAT(faultOf("[oidc.Other]\nissuer = \"https://b.example.com\"\nclientId = \"s\""), HasSubstr("wrong name"));
  EXPECT_THAT(faultOf("[oidc.other]\nissuer = \"https://id.example.com\"\nclientId = \"swarm\""), HasSubstr("that of [oidc.corp]"));
}

}  // namespace
}  // namespace swarm::oidc::testing
