// What each provider reads of swarm.toml, of the environment and of a request.
#include "provider/provider_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/format.h"
#include "provider/docker/docker_config.h"
#include "provider/flyio/flyio_config.h"
#include "support/temp_dir.h"

namespace swarm::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ProviderSetupTest : public ::testing::Test {
 protected:
  /// Throws what reading and making throw. Null: not enabled.
  ProviderPtr made(ProviderSetupPtr setup, std::string_view toml, Variables::Flags variables = {}) {
    read(*setup, toml, std::move(variables));
    return setup->make(context_);
  }

  void read(ProviderSetup& setup, std::string_view toml, Variables::Flags variables = {}) {
    ConfigSection root = ConfigSection::parse(folder_.write("swarm.toml", toml).string());
    if (auto section = root.child(enumName(setup.type()))) setup.readSection(*section);
    setup.readVariables(Variables(std::move(variables)));
  }

  template <typename Work>
  static Error errorOf(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::Internal, "no error");
  }

  /// Of a body of a request.
  Error refusal(const ProviderSetup& setup, const boost::json::value& body) {
    return errorOf([&] {
      Candidate candidate({"10.0.0.9:2375", "10.0.0.9:2376", "api.machines.dev:443"});
      setup.makeCandidate(body.as_object(), candidate, context_);
    });
  }

  static std::vector<std::string> pointersOf(const Error& error) {
    std::vector<std::string> pointers;
    for (const FieldError& field : error.fields()) pointers.push_back(field.pointer);
    return pointers;
  }

  static std::vector<std::string> endpointsOf(const ProviderSetup& setup) {
    std::vector<std::string> endpoints;
    for (const net::HostPort& endpoint : setup.endpoints()) endpoints.push_back(net::toString(endpoint));
    return endpoints;
  }

  TempDir folder_;
  RealClock clock_;
  ProviderContext context_{"swarm-test", {}, "swarm-workspace:latest", clock_};
};

TEST_F(ProviderSetupTest, dockerIsEnabledWithoutASection) {
  const ProviderPtr provider = made(makeDockerSetup(), "");
  ASSERT_TRUE(provider);
  EXPECT_THAT(provider->health().detail, HasSubstr("unix:///var/run/docker.sock"));
  EXPECT_FALSE(made(makeDockerSetup(), "[docker]\nenabled = false"));
}

TEST_F(ProviderSetupTest, dockerReadsItsSection) {
  const ProviderPtr provider =
      made(makeDockerSetup(), "[docker]\nname = \"main\"\nhost = \"10.0.0.2\"\nmaxInstancesPerUser = 3\n[docker.tls]");
  EXPECT_THAT(provider->health().detail, HasSubstr("tcp://10.0.0.2:2376"));
  EXPECT_EQ(provider->getProviderCapabilities().maxInstancesPerUser, 3);
  EXPECT_THAT(provider->getProviderCapabilities().supportedRegions, ElementsAre("main"));
  EXPECT_THAT(errorOf([&] { made(makeDockerSetup(), "[docker.hosts.b]\nprot = 1"); }).message(),
              HasSubstr(":2: unknown key \"prot\" in [docker.hosts.b]. Expected one of: agentPublishAddress, "));
}

TEST_F(ProviderSetupTest, dockerReadsWhatLimitsItsContainers) {
  EXPECT_TRUE(made(makeDockerSetup(), "[docker]\nnoNewPrivileges = true\nreadOnlyRoot = true\nisolation = \"instance\""));
  EXPECT_EQ(errorOf([&] { made(makeDockerSetup(), "[docker]\nisolation = \"none\""); }).message(),
            "isolation of [docker] is \"none\"; expected one of: owner, instance.");
  EXPECT_EQ(errorOf([&] { made(makeDockerSetup(), "[docker]\nisolation = \"instance\"\nnetworkName = \"all\""); }).message(),
            "[docker] has networkName, one network of all workspaces, and an isolation that rules it out. Leave one of them out.");
  EXPECT_THAT(errorOf([&] { made(makeDockerSetup(), "[docker]\nseccompProfile = \"/no/such/profile.json\""); }).message(),
              StartsWith("The seccomp profile /no/such/profile.json cannot be used: No such file"));
}

/// What the images of [common] are for both providers.
TEST_F(ProviderSetupTest, imagesThatAreAllowedEverywhereAreAllowedAtEachProvider) {
  context_.allowedImages = {"ghcr.io/team/*"};
  std::vector<ProviderPtr> providers;
  providers.push_back(made(makeDockerSetup(), "[docker]\nallowedImages = [\"debian:*\"]"));
  providers.push_back(made(makeFlyIOSetup(), "[flyio]\napiToken = \"a\""));
  for (const ProviderPtr& provider : providers) {
    const auto refusal = [&](std::string image, ImageChoice choice = ImageChoice::Allowed) {
      InstanceSpec spec;
      spec.config.image = std::move(image);
      spec.imageChoice = choice;
      return errorOf([&] { provider->checkRequest(spec); }).code() == ErrorCode::Unprocessable;
    };
    EXPECT_FALSE(refusal("ghcr.io/team/tool:1"));
    EXPECT_FALSE(refusal("swarm-workspace:latest"));
    EXPECT_FALSE(refusal(""));
    EXPECT_TRUE(refusal("alpine:3"));
    EXPECT_FALSE(refusal("alpine:3", ImageChoice::Any));
    EXPECT_TRUE(refusal("10.0.0.1/a", ImageChoice::Any));
    EXPECT_EQ(refusal("debian:12"), provider->type() == ProviderType::flyio);
  }
}

TEST_F(ProviderSetupTest, aVariableOrAFlagSetsTheEndpointOfTheEngine) {
  const auto detail = [&](std::string endpoint) {
    return made(makeDockerSetup(), "[docker]\nhost = \"10.0.0.2\"", {{"DOCKER_HOST", endpoint}})->health().detail;
  };
  EXPECT_THAT(detail("tcp://10.0.0.3:2375"), HasSubstr("tcp://10.0.0.3:2375"));
  EXPECT_THAT(detail("unix:///run/a.sock"), HasSubstr("unix:///run/a.sock"));
  EXPECT_THAT(detail("/run/b.sock"), HasSubstr("unix:///run/b.sock"));
  EXPECT_THAT(detail("ssh://ops@10.0.0.3"), HasSubstr("ssh://ops@10.0.0.3"));
  EXPECT_EQ(errorOf([&] { detail("http://10.0.0.3"); }).message(),
            "\"http://10.0.0.3\" is not a Docker endpoint; expected unix:///path/docker.sock, tcp://host:port or ssh://user@host.");
}

TEST_F(ProviderSetupTest, anEngineIsReachedBySsh) {
  EXPECT_THAT(made(makeDockerSetup(), "[docker]\nhost = \"ssh://ops@box2:2222\"")->health().detail, HasSubstr("ssh://ops@box2:2222"));
  EXPECT_EQ(errorOf([&] { made(makeDockerSetup(), "[docker]\nhost = \"ssh://-oProxyCommand=id\""); }).code(), ErrorCode::InvalidArgument);
  for (const char* more : {"port = 22", "[docker.tls]"}) {
    EXPECT_EQ(errorOf([&] { made(makeDockerSetup(), format("[docker]\nhost = \"ssh://box2\"\n{}", more)); }).message(),
              "A host of [docker] that begins with ssh:// has its port in it (ssh://user@host:port), and takes no tls.");
  }
  ProviderSetupPtr setup = makeDockerSetup();
  read(*setup, "[docker]\nhost = \"ssh://10.0.0.9\"");
  EXPECT_THAT(endpointsOf(*setup), ElementsAre()) << "a request may not have the server sign in somewhere";
}

TEST_F(ProviderSetupTest, aVariableAddsEnginesAndSetsEndpointsOfThose) {
  ProviderSetupPtr setup = makeDockerSetup();
  read(*setup, "[docker]\nhost = \"10.0.0.1\"\n[docker.hosts.b]\nhost = \"10.0.0.2\"\n[docker.hosts.c]\nsocketPath = \"/run/c.sock\"",
       {{"SWARM_DOCKER_HOSTS", "b=tcp://10.0.0.3:2375,d=tcp://10.0.0.4:2375"}});
  EXPECT_THAT(endpointsOf(*setup), ElementsAre("10.0.0.1:2375", "10.0.0.3:2375", "10.0.0.4:2375"));
  EXPECT_EQ(errorOf([&] { read(*makeDockerSetup(), "", {{"SWARM_DOCKER_HOSTS", "b"}}); }).message(),
            "SWARM_DOCKER_HOSTS: \"b\" is not NAME=ENDPOINT (box2=tcp://box2:2375).");
}

TEST_F(ProviderSetupTest, flyIsEnabledByItsSectionOrAVariableButNotByTheTokenOfFlysOwnTools) {
  const Variables::Flags token{{"FLY_API_TOKEN", "FlyV1 fm2_a"}};
  EXPECT_FALSE(made(makeFlyIOSetup(), ""));
  EXPECT_FALSE(made(makeFlyIOSetup(), "", token));
  EXPECT_FALSE(made(makeFlyIOSetup(), "[flyio]\nenabled = false\napiToken = \"FlyV1 fm2_a\""));
  EXPECT_TRUE(made(makeFlyIOSetup(), "[flyio]\napiToken = \"FlyV1 fm2_a\""));
  EXPECT_TRUE(made(makeFlyIOSetup(), "[flyio]", token));
  EXPECT_TRUE(made(makeFlyIOSetup(), "", {{"SWARM_FLYIO_REGIONS", "ams,fra"}, {"FLY_API_TOKEN", "FlyV1 fm2_a"}}));
}

TEST_F(ProviderSetupTest, flyTakesItsTokenFromTheEnvironmentTheSectionOrAFileOrHasNone) {
  const auto source = [&](std::string_view section, const Variables::Flags& variables = {}) {
    return made(makeFlyIOSetup(), section, variables)->apiToken()->describeToken().source;
  };
  const std::string in_file = "[flyio]\napiTokenFile = \"" + folder_.write("token", "fm2_a").string() + "\"";
  const std::string in_both = in_file + "\napiToken = \"fm2_b\"";
  EXPECT_EQ(source("[flyio]"), TokenSource::none) << "one can be stored while the server runs";
  EXPECT_EQ(source(in_file), TokenSource::file);
  EXPECT_EQ(source(in_both), TokenSource::configuration);
  EXPECT_EQ(source(in_both, {{"FLY_API_TOKEN", "fm2_c"}}), TokenSource::environment);
  for (const char* wrong : {"apiToken = \" \"", "apiToken = \"a\\nb\"", "apiTokenFile = \"/no/such/token\""})
    EXPECT_EQ(errorOf([&] { made(makeFlyIOSetup(), std::string("[flyio]\n") + wrong); }).code(), ErrorCode::InvalidArgument) << wrong;
  EXPECT_THAT(pointersOf(refusal(*makeFlyIOSetup(), {{"apiToken", ""}})), ElementsAre("/apiToken"));
}

TEST_F(ProviderSetupTest, flyReadsItsSectionAndThenVariables) {
  ProviderSetupPtr setup = makeFlyIOSetup();
  read(*setup, "[flyio]\napiBaseUrl = \"http://10.0.0.2:4280\"\nmaxInstancesPerUser = 5\napiToken = \"a\"");
  EXPECT_THAT(endpointsOf(*setup), ElementsAre("api.machines.dev:443", "10.0.0.2:4280"));
  read(*setup, "", {{"SWARM_FLYIO_API_BASE_URL", "http://10.0.0.3:4280"}});
  EXPECT_THAT(endpointsOf(*setup), ElementsAre("api.machines.dev:443", "10.0.0.3:4280"));
}

TEST_F(ProviderSetupTest, aRequestMayNotContainPathsOfTheServer) {
  ProviderSetupPtr docker = makeDockerSetup();
  EXPECT_THAT(pointersOf(refusal(*docker, {{"socketPath", "/run/docker.sock"}})), ElementsAre("/socketPath", "/host"));
  EXPECT_THAT(pointersOf(refusal(*docker, {{"host", "10.0.0.9"}, {"tls", {{"ca", "/etc/passwd"}, {"x", 1}}}})),
              ElementsAre("/tls/ca", "/tls/x"));
  EXPECT_THAT(pointersOf(refusal(*makeFlyIOSetup(), {{"apiToken", "a"}, {"apiTokenFile", "/a"}, {"caFile", "/b"}, {"ca", "/c"}})),
              ElementsAre("/apiTokenFile", "/caFile", "/ca"));
}

TEST_F(ProviderSetupTest, aRequestMayOnlyNameAllowedEndpoints) {
  ProviderSetupPtr docker = makeDockerSetup();
  EXPECT_EQ(refusal(*docker, {{"host", "10.0.0.9"}}).message(), "no error");
  EXPECT_EQ(refusal(*docker, {{"host", "10.0.0.9"}, {"tls", boost::json::object()}}).message(), "no error");
  const Error other = refusal(*docker, {{"host", "10.0.0.9"}, {"port", 80}});
  EXPECT_EQ(other.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(other.message(), StartsWith("10.0.0.9:80 is not an endpoint of this server's configuration"));
  EXPECT_THAT(pointersOf(other), ElementsAre("/host"));
  EXPECT_THAT(pointersOf(refusal(*docker, {{"host", "10.0.0.9"}, {"port", 0}})), ElementsAre("/port"));
  const Error fly = refusal(*makeFlyIOSetup(), {{"apiToken", "a"}, {"apiBaseUrl", "http://10.0.0.9"}});
  EXPECT_EQ(fly.code(), ErrorCode::Unprocessable);
  EXPECT_THAT(pointersOf(fly), ElementsAre("/apiBaseUrl"));
}

/// What the server must not connect to for a client: written as an endpoint that is allowed (10.0.0.9:2375, api.machines.dev).
TEST_F(ProviderSetupTest, aRequestReachesNoOtherEndpointByItsSpelling) {
  ProviderSetupPtr docker = makeDockerSetup(), fly = makeFlyIOSetup();
  for (const char* host : {"169.254.169.254",
                           "localhost",
                           "127.0.0.1",
                           "[::1]",
                           "::1",
                           "::ffff:10.0.0.9",
                           "0x0a000009",
                           "167772169",
                           "10.9",
                           "10.0.0.9.",
                           "10.0.0.9 ",
                           "10.0.0.9\n",
                           "10.0.0.9:2375",
                           "10.0.0.9:2375@169.254.169.254",
                           "169.254.169.254#10.0.0.9",
                           "169.254.169.254/10.0.0.9",
                           "tcp://10.0.0.9",
                           "tcp://169.254.169.254:2375",
                           "ssh://10.0.0.9",
                           "ssh://root@10.0.0.9:2375",
                           "ssh://-oProxyCommand=id@10.0.0.9",
                           "unix:///run/docker.sock",
                           "/run/docker.sock",
                           "@abstract",
                           "",
                           "*",
                           "10.0.0.*"})
    for (const std::int64_t port : {2375, 2376})
      EXPECT_NE(refusal(*docker, {{"host", host}, {"port", port}}).message(), "no error") << host;
  for (const char* url : {"http://api.machines.dev", "https://api.machines.dev:8443", "https://api.machines.dev@169.254.169.254",
                          "https://api.machines.dev:443@169.254.169.254/", "https://169.254.169.254#api.machines.dev",
                          "https://169.254.169.254/?api.machines.dev:443", "https://169.254.169.254\\@api.machines.dev:443.evil.example",
                          "https://api.machines.dev.evil.example", "https://api.machines.dev%2eevil", "//api.machines.dev",
                          "file:///etc/passwd", "gopher://api.machines.dev", "https://[::ffff:169.254.169.254]", "https://2852039166"})
    EXPECT_NE(refusal(*fly, {{"apiToken", "a"}, {"apiBaseUrl", url}}).message(), "no error") << url;
}

TEST_F(ProviderSetupTest, anInvalidCertificateInARequestNamesNoFile) {
  const char* pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const Error error = refusal(*makeDockerSetup(), {{"host", "10.0.0.9"}, {"tls", {{"ca", pem}}}});
  EXPECT_EQ(error.message(), "A certificate or key is not valid PEM, or they do not belong together.");
}

}  // namespace
}  // namespace swarm::test
