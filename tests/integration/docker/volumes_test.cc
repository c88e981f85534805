// Volumes outlive containers: what an image declares, what an earlier version left anonymous, and what a user removed.
#include "engine/format/tar.h"
#include "integration/docker/docker_test.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

namespace json = boost::json;

class DockerVolumes : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }

  /// The test image, with a folder that it declares as a volume.
  std::string imageWithVolume() {
    std::string name = "swarm-test-busybox:volume";
    engine::Reply made = fixture_->engine().send("POST", "/containers/create?name=" + newId("swarm-test-image"),
                                                 json::object{{"Image", fixture_->image()}, {"NetworkDisabled", true}});
    std::string id = engine::stringAt(made.json("make an image"), "Id");
    fixture_->engine().send("POST", "/commit?repo=swarm-test-busybox&tag=volume&container=" + id + "&changes=VOLUME%20%2Fdata",
                            json::object{});
    fixture_->engine().send("DELETE", "/containers/" + id);
    return name;
  }
  InstanceSpec withDeclaredVolume() {
    InstanceSpec wanted = spec();
    wanted.config.image = imageWithVolume();
    return wanted;
  }
  void write(const InstanceSpec& wanted, const std::string& path) { ASSERT_EQ(execute(wanted, {"tee", path}, "precious").exitCode, 0); }
  std::string read(const InstanceSpec& wanted, const std::string& path) { return execute(wanted, {"cat", path}).stdoutText; }
  std::string volumeAt(const InstanceSpec& wanted, const std::string& path) {
    json::value details =
        fixture_->engine().get("/containers/" + fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId) + "/json");
    for (const json::value& mount : engine::member(details, "Mounts")->as_array())
      if (engine::stringAt(mount, "Destination") == path) return engine::stringAt(mount, "Name");
    return {};
  }
  /// As earlier versions made it: the Engine makes an anonymous volume for what the image declares.
  void createAsBefore(const InstanceSpec& wanted) {
    InstanceSpec with_plain_image = wanted;
    with_plain_image.config.image = fixture_->image();
    create(with_plain_image);  // network and volume
    std::string name = docker::containerName(wanted);
    fixture_->engine().send("DELETE", "/containers/" + name + "?force=true");
    docker::NetworkPlan network = docker::planNetwork(wanted, testEngineConfig(), fixture_->swarmId());
    json::object body = docker::containerBody(wanted, testEngineConfig(), fixture_->swarmId(), network, docker::planVolumes(wanted));
    ASSERT_EQ(fixture_->engine().send("POST", "/containers/create?name=" + name, body).status, 201);
    ASSERT_TRUE(fixture_->engine().send("POST", "/containers/" + name + "/start").ok());
  }
  bool exists(const std::string& volume) { return fixture_->engine().send("GET", "/volumes/" + volume).ok(); }
};

TEST_F(DockerVolumes, whatAnImageDeclaresIsAVolumeOfTheInstance) {
  InstanceSpec wanted = withDeclaredVolume();
  create(wanted);
  write(wanted, "/data/file");
  std::string volume = volumeAt(wanted, "/data");
  EXPECT_TRUE(volume.starts_with("swarm-" + wanted.placeId.str())) << volume;
  wanted.config.env["A"] = "1";
  replace(wanted);
  EXPECT_EQ(read(wanted, "/data/file"), "precious");
  runner_.run(provider_->deleteInstance(wanted.placeId, DeleteVolumes::No, {}, progress_, soon()));
  EXPECT_TRUE(exists(volume)) << "its removal was not requested";
  remove(wanted);
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerVolumes, anAnonymousVolumeIsCarriedOverToTheNextContainer) {
  InstanceSpec wanted = withDeclaredVolume();
  createAsBefore(wanted);
  write(wanted, "/data/file");
  std::string volume = volumeAt(wanted, "/data");
  ASSERT_EQ(volume.size(), 64u) << volume;
  for (const char* value : {"1", "2"}) {
    wanted.config.env["A"] = value;
    replace(wanted);
    EXPECT_EQ(read(wanted, "/data/file"), "precious");
    EXPECT_EQ(volumeAt(wanted, "/data"), volume);
  }
  EXPECT_EQ(execute(wanted, {"printenv", "A"}).stdoutText, "2\n");
  remove(wanted);
  EXPECT_FALSE(exists(volume)) << "it goes with its instance";
  EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
}

TEST_F(DockerVolumes, anEmptyVolumeReplacesALostOneOnlyOnRequest) {
  InstanceSpec wanted = spec();
  RecordingProgress recorded;
  runner_.run(provider_->createInstance(wanted, recorded, soon()));
  wanted.known = recorded.resources;
  std::string volume = volumeAt(wanted, "/home/coder");
  EXPECT_TRUE(runner_.run(provider_->findLostVolumes(wanted, soon()))->empty());
  fixture_->removeBehindBack(wanted.placeId);
  create(wanted);  // the volume is there: nothing is lost
  fixture_->removeBehindBack(wanted.placeId);
  ASSERT_TRUE(fixture_->engine().send("DELETE", "/volumes/" + volume).ok());
  auto lost = runner_.run(provider_->findLostVolumes(wanted, soon()));
  ASSERT_EQ(lost->size(), 1u);
  EXPECT_EQ(lost->front().mountPath, "/home/coder");
  auto error = errorOf([&] { create(wanted); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict) << error->message();
  EXPECT_FALSE(exists(volume)) << "an empty one hides that it is lost";
  wanted.emptyVolumes = true;
  EXPECT_EQ(create(wanted).status, InstanceStatus::running);
  remove(wanted);
}

TEST_F(DockerVolumes, whatAReplacementDropsIsReportedBefore) {
  InstanceSpec wanted = spec();
  create(wanted);
  for (const char* path : {"/usr/bin/tool", "/usr/bin/other", "/etc/tool.conf", "/tmp/passing", "/home/coder/kept"}) write(wanted, path);
  auto loss = runner_.run(provider_->previewReplacement(wanted.placeId, soon()));
  ASSERT_TRUE(loss);
  EXPECT_EQ(loss->files, 3);
  EXPECT_FALSE(loss->more);
  ASSERT_EQ(loss->folders.size(), 2u);
  EXPECT_EQ(loss->folders[0].path, "/usr/bin");
  EXPECT_EQ(loss->folders[0].files, 2);
  remove(wanted);
}

}  // namespace
}  // namespace swarm::testing
