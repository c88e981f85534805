// Cancelling a request is not cancelling its effect: what the Engine makes of a call that was cut off is waited for, removed or swept.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <boost/json/serialize.hpp>

#include "async/deadline.h"
#include "integration/docker/docker_test.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::testing {
namespace {

class DockerCancel : public DockerTest {
 protected:
  void SetUp() override { useEngine(); }

  /// Begins `work` and cuts it off after a while, as an operation that another one supersedes.
  void cutOff(asio::awaitable<ProviderInstance> work, std::chrono::milliseconds after) {
    asio::cancellation_signal cancel;
    bool ended = false;
    auto all = [](asio::awaitable<ProviderInstance> inner) -> asio::awaitable<void> { co_await std::move(inner); };
    asio::co_spawn(runner_.context(), all(std::move(work)),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
    runner_.run(async::sleepFor(after));
    if (!ended) cancel.emit(asio::cancellation_type::terminal);
    ASSERT_TRUE(runner_.waitFor([&] { return ended; }));
  }

  /// The Engine reserves a container's name while it makes it: a name that can be taken has nothing behind it, now or later.
  void expectNameIsFree(const std::string& name) {
    engine::Reply made = fixture_->engine().send("POST", "/containers/create?name=" + name,
                                                 boost::json::object{{"Image", fixture_->image()}, {"NetworkDisabled", true}});
    EXPECT_EQ(made.status, 201) << made.body;
    if (made.ok()) fixture_->engine().send("DELETE", "/containers/" + name + "?force=true");
  }

  /// Volumes of the instance, labelled or not.
  std::vector<std::string> volumesOf(const InstanceSpec& wanted) {
    std::vector<std::string> names;
    boost::json::object filter{{"name", boost::json::array{boost::json::string("swarm-" + wanted.placeId.str())}}};
    boost::json::value all = fixture_->engine().get("/volumes?" + engine::filterQuery(filter));
    const boost::json::value* list = engine::member(all, "Volumes");
    if (list && list->is_array())
      for (const boost::json::value& volume : list->as_array()) names.push_back(engine::stringAt(volume, "Name"));
    return names;
  }
};

TEST_F(DockerCancel, deletedIsSaidOnlyWhenNothingOfACreateThatWasCutOffIsStillToCome) {
  for (int after = 0; after < 200; after += 14) {
    SCOPED_TRACE(after);
    InstanceSpec wanted = spec();
    cutOff(provider_->createInstance(wanted, progress_, soon()), std::chrono::milliseconds(after));
    remove(wanted);
    expectNameIsFree(docker::containerName(wanted));
    EXPECT_EQ(volumesOf(wanted), std::vector<std::string>{});
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

TEST_F(DockerCancel, deletedIsSaidOnlyWhenNothingOfAnUpdateThatWasCutOffIsStillToCome) {
  for (int after = 0; after < 160; after += 27) {
    SCOPED_TRACE(after);
    InstanceSpec wanted = spec();
    create(wanted);
    wanted.config.env["CHANGED"] = "yes";
    cutOff(provider_->replaceInstance(wanted, progress_, soon()), std::chrono::milliseconds(after));
    remove(wanted);
    for (std::string_view suffix : {std::string_view(), docker::kNextSuffix, docker::kAsideSuffix})
      expectNameIsFree(docker::containerName(wanted) + std::string(suffix));
    EXPECT_EQ(volumesOf(wanted), std::vector<std::string>{});
    EXPECT_EQ(fixture_->leftovers(), std::vector<std::string>{});
  }
}

/// A create that another process began can't be waited for by its response.
TEST_F(DockerCancel, whatAKilledServerBeganIsSettledBeforeItIsRemoved) {
  for (int after = 0; after < 200; after += 25) {
    SCOPED_TRACE(after);
    InstanceSpec wanted = spec();
    ProviderPtr killed = fixture_->makeProvider();
    cutOff(killed->createInstance(wanted, progress_, soon()), std::chrono::milliseconds(after));
    killed.reset();
    runner_.run(provider_->settle(wanted, soon()));
    remove(wanted);
    expectNameIsFree(docker::containerName(wanted));
    EXPECT_EQ(volumesOf(wanted), std::vector<std::string>{});
  }
}

/// A container made by hand, of an instance that is gone, as if a create had been finished late.
TEST_F(DockerCancel, lateResourcesOfADeletedInstanceAreSweptAsRequestedForItsVolumes) {
  InstanceSpec wanted = spec(), kept = spec("two");
  create(wanted);
  create(kept);
  std::vector<Departure> gone{{wanted.placeId, "ada", ProviderType::docker, DeleteVolumes::Yes, RealClock().now()},
                              {kept.placeId, "ada", ProviderType::docker, DeleteVolumes::No, RealClock().now()}};
  remove(wanted);
  runner_.run(provider_->deleteInstance(kept.placeId, DeleteVolumes::No, {}, progress_, soon()));
  for (const InstanceSpec* late : {&wanted, &kept}) {
    create(*late);
    std::string unlabelled = "swarm-" + late->placeId.str() + "-late";
    fixture_->engine().send("POST", "/volumes/create", boost::json::object{{"Name", unlabelled}});
  }
  std::string others = "swarm-" + spec().placeId.str() + "-of-another-swarm";
  fixture_->engine().send("POST", "/volumes/create", boost::json::object{{"Name", others}});
  EXPECT_FALSE(runner_.run(provider_->sweep(gone, soon())).empty());
  EXPECT_EQ(status(wanted), InstanceStatus::deleted);
  EXPECT_EQ(status(kept), InstanceStatus::deleted);
  EXPECT_EQ(volumesOf(wanted), std::vector<std::string>{});
  EXPECT_EQ(volumesOf(kept).size(), 2u) << "its volumes were to stay";
  EXPECT_TRUE(fixture_->engine().send("GET", "/volumes/" + others).ok());
  EXPECT_EQ(runner_.run(provider_->sweep(gone, soon())), std::vector<std::string>{});
  for (const std::string& name : volumesOf(kept)) fixture_->engine().send("DELETE", "/volumes/" + name);
  fixture_->engine().send("DELETE", "/volumes/" + others);
}

TEST_F(DockerCancel, aVolumeThatWasThereBeforeTheDeletionIsNotSwept) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::vector<std::string> volumes = volumesOf(wanted);
  runner_.run(provider_->deleteInstance(wanted.placeId, DeleteVolumes::No, {}, progress_, soon()));
  SystemTime later = RealClock().now() + std::chrono::seconds(2);
  std::vector<Departure> gone{{wanted.placeId, "ada", ProviderType::docker, DeleteVolumes::Yes, later}};
  EXPECT_EQ(runner_.run(provider_->sweep(gone, soon())), std::vector<std::string>{});
  EXPECT_EQ(volumesOf(wanted), volumes);
}

TEST_F(DockerCancel, aVolumeThatTheEngineCreatesItselfIsLabelledToo) {
  InstanceSpec wanted = spec();
  create(wanted);
  std::string container = fixture_->engine().containerOf(fixture_->swarmId(), wanted.placeId);
  boost::json::value details = fixture_->engine().get("/containers/" + container + "/json");
  const boost::json::value* mounts = engine::member(details, "HostConfig.Mounts");
  ASSERT_TRUE(mounts && mounts->is_array() && mounts->as_array().size() == 1);
  EXPECT_NE(boost::json::serialize(mounts->as_array()[0]).find(wanted.placeId.str() + "\",\"swarm.mount"), std::string::npos)
      << boost::json::serialize(*mounts);
  remove(wanted);
}

}  // namespace
}  // namespace swarm::testing
