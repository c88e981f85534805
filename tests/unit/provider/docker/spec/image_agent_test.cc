// Which agents get the key of their TLS.
#include "provider/docker/spec/image_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "provider/docker/container/agent_access.h"

namespace swarm::docker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ImageAgent agentOf(std::string_view labels) {
  return readImage(json::parse(R"({"Id":"sha256:1","Config":{"Entrypoint":["/usr/local/bin/swarm-agent"],"Labels":)" + std::string(labels) +
                               "}}"))
      .agent;
}

DockerProviderConfig remoteEngine() {
  DockerProviderConfig config;
  config.host = "box2.example.com";
  config.agentPublishAddress = "10.0.0.2";
  return config;
}

DockerProviderConfig withRequiredTls() {
  DockerProviderConfig config;
  config.agentTls = AgentTls::required;
  return config;
}

class ImageAgentTls : public ::testing::Test {
 protected:
  ImageAgentTls() {
    spec_.placeId = PlaceId("i-1");
    spec_.agentBoot = R"({"instanceId":"i-1","publicKey":"00"})";
    spec_.agentTlsKey = Secret(std::string(32, '\xab'));
  }
  json::object body(const ImageAgent& agent, const DockerProviderConfig& config) {
    json::object made = containerBody(spec_, config, "s1", {}, {});
    fitToAgent(made, spec_, agent, config);
    return made;
  }
  /// The container as the Engine reports it.
  ContainerDetails container(const ImageAgent& agent, const DockerProviderConfig& config) {
    json::object labels = body(agent, config).at("Labels").as_object();
    json::object inspection{{"Id", "c1"},
                            {"State", json::object{{"Status", "running"}}},
                            {"Config", json::object{{"Labels", std::move(labels)}}},
                            {"NetworkSettings", json::parse(R"({"Ports":{"7777/tcp":[{"HostIp":"10.0.0.2","HostPort":"32768"}]}})")}};
    return readContainer(inspection, config);
  }

  InstanceSpec spec_;
  const ImageAgent present_ = agentOf(R"({"swarm.image.version":"3"})");
  const ImageAgent older_ = agentOf(R"({"swarm.image.version":"2"})");
};

TEST_F(ImageAgentTls, isSupportedByImagesSinceVersionThree) {
  EXPECT_TRUE(present_.servesTls);
  EXPECT_TRUE(agentOf(R"({"swarm.image.version":"12"})").servesTls);
  for (const char* labels : {R"({"swarm.image.version":"2"})", R"({"swarm.image.version":"1"})", R"({"swarm.image.version":"3x"})",
                             R"({"swarm.image.version":"-3"})", "{}", "null"})
    EXPECT_FALSE(agentOf(labels).servesTls) << labels;
}

TEST_F(ImageAgentTls, onAnotherMachineTheAgentGetsItsKey) {
  const json::object made = body(present_, remoteEngine());
  EXPECT_EQ(made.at("Env").as_array().back().as_string(), R"(SWARM_AGENT={"instanceId":"i-1","publicKey":"00","tlsKey":")"
                                                          "abababababababababababababababababababababababababababababababab"
                                                          R"("})");
  EXPECT_EQ(labelOf(made, kLabelAgentTls), "true");
  EXPECT_EQ(labelOf(made, kLabelSpec), labelOf(body(older_, remoteEngine()), kLabelSpec)) << "nothing is replaced because of it";
  EXPECT_EQ(agentEndpointOf(container(present_, remoteEngine()), remoteEngine()).tlsPlace, PlaceId("i-1"));
}

TEST_F(ImageAgentTls, onThisMachineNothingChanges) {
  const json::object made = body(present_, {});
  EXPECT_EQ(made.at("Env").as_array().back().as_string(), "SWARM_AGENT=" + spec_.agentBoot);
  EXPECT_EQ(labelOf(made, kLabelAgentTls), "");
  EXPECT_TRUE(agentEndpointOf(container(present_, {}), {}).tlsPlace.empty());
  EXPECT_EQ(labelOf(body(present_, withRequiredTls()), kLabelAgentTls), "true") << "unless it is required";
}

TEST_F(ImageAgentTls, anOlderAgentIsReachedWithoutTlsUnlessTlsIsRequired) {
  EXPECT_THAT(json::serialize(body(older_, remoteEngine())), Not(HasSubstr("tlsKey")));
  requireAgentFor(spec_, older_, remoteEngine());
  EXPECT_TRUE(agentEndpointOf(container(older_, remoteEngine()), remoteEngine()).tlsPlace.empty());

  const auto failure = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
      return error.message();
    }
    return "none";
  };
  EXPECT_EQ(failure([&] { requireAgentFor(spec_, present_, withRequiredTls()); }), "none");
  EXPECT_THAT(failure([&] { requireAgentFor(spec_, older_, withRequiredTls()); }), HasSubstr("does not support TLS"));
  EXPECT_THAT(failure([&] { agentEndpointOf(container(older_, withRequiredTls()), withRequiredTls()); }),
              HasSubstr("`swarm update NAME --refresh-image`"));
}

TEST_F(ImageAgentTls, aContainerWithTlsKeepsItWhateverTheConfigurationBecomes) {
  EXPECT_EQ(agentEndpointOf(container(present_, remoteEngine()), {}).tlsPlace, PlaceId("i-1"));
}

}  // namespace
}  // namespace swarm::docker
