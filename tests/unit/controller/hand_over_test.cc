// A hand-over of a workspace: what belongs to whom afterwards, also when the workspace is gone.
#include "unit/controller/fixture.h"

namespace swarm::test {
namespace {

class HandOver : public ControllerTest {
 protected:
  HandOver() { boot(); }
  Instance give(const std::string& name, const std::string& from, const std::string& to) {
    return run(swarm().handOver({get(name).id.str(), {}}, from, to));
  }
  void remove(const std::string& name) { finish(run(swarm().deleteInstance({name, {}}, DeleteVolumes::No, "admin"))); }
  /// Creates a workspace that mounts this volume.
  Operation mount(const std::string& name, const std::string& volume, const std::string& owner) {
    CreateRequest wanted = request(name, owner);
    wanted.config.storage = {{.mountPath = "/home/coder", .volumeName = volume}};
    return finish(run(swarm().createInstance(wanted)));
  }
  ErrorCode refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  }
  std::string ownerOf(const std::string& volume) {
    for (const VolumeResponse& one : run(swarm().listVolumes()))
      if (one.name == volume) return one.owner;
    return "";
  }
  /// The records of deletions are kept for 30 days.
  void forgetDeletions() {
    store_.departures.clear();
    reboot();
  }
};

TEST_F(HandOver, givesTheVolumesToTheNewOwnerForGood) {
  create("gift");
  const std::string volume = run(swarm().listVolumes()).at(0).name;
  give("gift", "ann", "bob");
  remove("gift");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ownerOf(volume), "bob");
    EXPECT_EQ(refusal([&] { mount("thief", volume, "ann"); }), ErrorCode::Unprocessable);
    forgetDeletions();
  }
  EXPECT_EQ(mount("heir", volume, "bob").status, OperationStatus::succeeded);
}

TEST_F(HandOver, givesAVolumeThatTheWorkspaceMountsByNameAndNoOther) {
  for (const std::string volume : {"given", "other"}) {
    mount("first-" + volume, volume, "ann");
    remove("first-" + volume);
  }
  mount("gift", "given", "ann");
  give("gift", "ann", "bob");
  remove("gift");
  forgetDeletions();
  EXPECT_EQ(ownerOf("given"), "bob");
  EXPECT_EQ(ownerOf("other"), "ann");
  EXPECT_EQ(refusal([&] { mount("thief", "given", "ann"); }), ErrorCode::Unprocessable);
}

TEST_F(HandOver, followsTheSuccessorOfADeletedUser) {
  create("gift");
  const std::string volume = run(swarm().listVolumes()).at(0).name;
  give("gift", "ann", "bob");
  remove("gift");
  run(swarm().deleteUser("bob", "eve"));
  forgetDeletions();
  EXPECT_EQ(ownerOf(volume), "eve");
}

TEST_F(HandOver, isRefusedWhileAWorkspaceOfAnotherUserMountsItsVolume) {
  mount("one", "shared", "ann");
  mount("two", "shared", "ann");
  EXPECT_EQ(refusal([&] { give("one", "ann", "bob"); }), ErrorCode::Conflict);
  EXPECT_EQ(get("one").owner, "ann");
  remove("two");
  EXPECT_EQ(give("one", "ann", "bob").owner, "bob");
}

TEST_F(HandOver, ofTwoAtOnceTakesNothingFromTheNewOwner) {
  create("gift");
  const std::string id = get("gift").id.str();
  std::vector<ErrorCode> refusals;
  const auto both = [&](std::string to) -> awaitable<void> {
    try {
      co_await swarm().handOver({id, {}}, "ann", to);
    } catch (const Error& error) {
      refusals.push_back(error.code());
    }
  };
  int ended = 0;
  for (const char* to : {"bob", "eve"}) boost::asio::co_spawn(loop(), both(to), [&](std::exception_ptr) { ++ended; });
  drive([&] { return ended == 2; });
  EXPECT_EQ(refusals, std::vector{ErrorCode::Conflict});
  EXPECT_EQ(get("gift").owner, "bob");
  EXPECT_EQ(refusal([&] { give("gift", "ann", "eve"); }), ErrorCode::Conflict) << "a request from before";
  EXPECT_EQ(get("gift").owner, "bob");
}

}  // namespace
}  // namespace swarm::test
