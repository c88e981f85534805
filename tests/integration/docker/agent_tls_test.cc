// The key of an agent's TLS at a real Engine: who gets it, what a replacement and a change of the configuration do.
#include <gmock/gmock.h>

#include <fstream>

#include "engine/format/tar.h"
#include "integration/docker/docker_test.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

class DockerAgentTls : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }
  void TearDown() override {
    DockerTest::TearDown();
    fixture_->engine().removeAll(fixture_->swarmId());
    if (!image_.empty()) fixture_->engine().send("DELETE", "/images/" + image_);
  }
  /// Another server on the same Engine, with this configuration.
  void configure(AgentTls tls) {
    closeProvider();
    DockerProviderConfig config = testEngineConfig();
    config.agentTls = tls;
    provider_ = makeDockerProvider(std::move(config), fixture_->swarmId());
    runner_.run(provider_->open([](const ProviderEvent&) {}));
  }
  std::string presentImage() {
    engine::TarWriter files;
    std::ifstream busybox("/bin/busybox", std::ios::binary);
    files.addFolder("bin", 0755);
    files.addFile("bin/busybox", 0755, std::string(std::istreambuf_iterator<char>(busybox), {}));
    image_ = fixture_->engine().importImage(
        "swarm-test-agent-tls", std::move(files).finish(),
        {R"(CMD ["/bin/busybox","sh","-c","trap 'exit 0' TERM; while :; do /bin/busybox sleep 1 & wait $!; done"])",
         "LABEL swarm.image.version=3 swarm.agent.tls=true", "ENV SWARM_AGENT=theirs"});
    return image_;
  }
  InstanceSpec withKey() {
    InstanceSpec wanted = spec();
    wanted.agentTlsKey = Secret(std::string(32, '\xab'));
    return wanted;
  }
  std::string settings(const InstanceSpec& wanted) {
    return execute(wanted, {"/bin/busybox", "sh", "-c", "echo \"$SWARM_AGENT\""}).stdoutText;
  }
  PlaceId tlsPlace(const InstanceSpec& wanted) { return runner_.run(provider_->agentEndpoint(wanted.placeId, soon())).tlsPlace; }

  std::string image_;
};

TEST_F(DockerAgentTls, isGivenToNewContainersAndStaysWithThem) {
  InstanceSpec wanted = withKey();
  wanted.config.image = presentImage();
  create(wanted);
  EXPECT_EQ(settings(wanted), wanted.agentBoot + "\n") << "a local Engine";
  EXPECT_TRUE(tlsPlace(wanted).empty()) << "whatever the image's own label says";

  configure(AgentTls::required);
  try {
    tlsPlace(wanted);
    ADD_FAILURE() << "an agent without TLS was admitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
    EXPECT_THAT(error.message(), HasSubstr("`swarm update NAME --refresh-image`"));
  }
  replace(wanted);
  EXPECT_THAT(settings(wanted), HasSubstr(R"("tlsKey":"abab)"));
  EXPECT_EQ(tlsPlace(wanted), wanted.placeId);
  const std::string container = fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId);
  replace(wanted);
  EXPECT_EQ(fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId), container) << "a repeated call changes nothing";

  configure(AgentTls::remote);
  EXPECT_EQ(tlsPlace(wanted), wanted.placeId) << "the agent has its key, whatever the configuration says now";
}

TEST_F(DockerAgentTls, anImageWithoutItIsRefusedWhereItIsRequired) {
  configure(AgentTls::required);
  InstanceSpec wanted = withKey();
  try {
    create(wanted);
    ADD_FAILURE() << "it was created";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unprocessable);
    EXPECT_THAT(error.message(), HasSubstr("does not support TLS"));
  }
  remove(wanted);
}

}  // namespace
}  // namespace swarm::testing
