// Valid command lines, and the errors for invalid ones.
#include "emulator/program/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/temp_dir.h"

namespace swarm::emulator {
namespace {

using ::testing::HasSubstr;

std::string refusalOf(const std::vector<std::string>& arguments) {
  try {
    parseOptions(arguments);
    return "(accepted)";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    return error.message();
  }
}

TEST(FlyEmulatorOptions, aTokenIsEnough) {
  ProgramOptions options = parseOptions({"--token", "secret"});
  EXPECT_EQ(net::toString(options.listen), "127.0.0.1:4280");
  EXPECT_EQ(net::toString(options.edge), "127.0.0.1:4281");
  EXPECT_EQ(options.backend, BackendKind::Docker);
  ASSERT_EQ(options.tokens.size(), 1U);
  EXPECT_EQ(options.tokens[0].reveal(), "secret");
}

TEST(FlyEmulatorOptions, everyFlagIsTakenInBothForms) {
  test::TempDir folder;
  std::string file = folder.write("tokens", "# mine\none\n\ntwo \n").string();
  ProgramOptions options =
      parseOptions({"--listen=[::1]:1", "--edge", "0.0.0.0:0", "--edge-tls", "--api-tls", "--data=/d", "--backend=memory", "--token-file",
                    file, "--organization", "acme", "--strict", "--regions", "fra,ams", "--transitions=fly", "--no-rate-limits"});
  EXPECT_EQ(options.listen.host, "::1");
  EXPECT_EQ(options.edge.port, 0);
  EXPECT_TRUE(options.edgeTls && options.apiTls && options.strict && !options.rateLimits);
  EXPECT_EQ(options.data, "/d");
  EXPECT_EQ(options.backend, BackendKind::Memory);
  ASSERT_EQ(options.tokens.size(), 2U);
  EXPECT_EQ(options.tokens[1].reveal(), "two");
  EXPECT_EQ(options.organization, "acme");
  EXPECT_THAT(options.regions, ::testing::ElementsAre("fra", "ams"));
  EXPECT_EQ(options.transitions, Transitions::LikeFly);
}

TEST(FlyEmulatorOptions, wrongUseIsExplained) {
  EXPECT_THAT(refusalOf({}), HasSubstr("--token TOKEN"));
  EXPECT_THAT(refusalOf({"--tokn", "x"}), HasSubstr("Unknown flag \"--tokn\""));
  EXPECT_THAT(refusalOf({"serve"}), HasSubstr("Unknown argument \"serve\""));
  EXPECT_THAT(refusalOf({"--token"}), HasSubstr("--token needs a value"));
  EXPECT_THAT(refusalOf({"--token="}), HasSubstr("--token needs a value"));
  EXPECT_THAT(refusalOf({"--data", "--strict", "--token", "x"}), HasSubstr("--data needs a value"));
  EXPECT_THAT(refusalOf({"--token", "x", "--backend", "podman"}), HasSubstr("--backend must be docker or memory, not \"podman\""));
  EXPECT_THAT(refusalOf({"--token", "x", "--listen", "4280"}), HasSubstr("--listen: \"4280\" is not an address"));
  EXPECT_THAT(refusalOf({"--token", "x", "--regions", "ams,Europe"}), HasSubstr("\"Europe\" is not a region"));
  EXPECT_THAT(refusalOf({"--token-file", "/none"}), HasSubstr("cannot read /none"));
  EXPECT_THAT(refusalOf({"--strict=yes", "--token", "x"}), HasSubstr("Unknown flag \"--strict\""));
  EXPECT_THAT(refusalOf({"--token", "x", "--nope"}), ::testing::EndsWith("Try: fly-emulator --help"));
}

TEST(FlyEmulatorOptions, helpNamesEveryFlagAndNeedsNothing) {
  EXPECT_TRUE(parseOptions({"--help"}).help);
  EXPECT_TRUE(parseOptions({"--version"}).version);
  for (const char* flag : {"--listen", "--edge", "--edge-tls", "--api-tls", "--data", "--backend", "--token", "--token-file",
                           "--organization", "--regions", "--strict", "--transitions", "--no-rate-limits", "Examples:"}) {
    EXPECT_THAT(helpText(), HasSubstr(flag));
  }
}

}  // namespace
}  // namespace swarm::emulator
