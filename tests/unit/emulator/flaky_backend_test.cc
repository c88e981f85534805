// A temporarily unreachable backend: no Machine is reported in a state that it does not have.
#include "base/error.h"
#include "unit/emulator/fixture.h"

namespace swarm::test {
namespace {

using emulator::Backend;
using emulator::BackendPtr;
using emulator::GuestExec;
using emulator::GuestExecResult;
using emulator::GuestProcess;
using emulator::ImageFacts;
using emulator::MachinePlan;

/// Forwards all calls except those that are to fail; the counters are the remaining failures of each.
struct Trouble {
  int images = 0, boots = 0, stops = 0, destroys = 0, resumes = 0, suspends = 0, volumes = 0, copies = 0;
};

class FlakyBackend final : public Backend {
 public:
  FlakyBackend(BackendPtr inner, Trouble& trouble) : inner_(std::move(inner)), trouble_(trouble) {}
  awaitable<void> open(emulator::GuestExitSink sink) override { return inner_->open(std::move(sink)); }
  awaitable<void> close() override { return inner_->close(); }
  awaitable<std::optional<ImageFacts>> findImage(std::string image, Deadline deadline) override {
    fail(trouble_.images);
    co_return co_await inner_->findImage(std::move(image), deadline);
  }
  awaitable<void> boot(MachinePlan plan, Deadline deadline) override {
    fail(trouble_.boots);
    co_await inner_->boot(std::move(plan), deadline);
  }
  awaitable<void> stop(std::string id, std::string signal, std::chrono::milliseconds timeout, Deadline deadline) override {
    fail(trouble_.stops);
    co_await inner_->stop(std::move(id), std::move(signal), timeout, deadline);
  }
  awaitable<void> suspend(std::string id, Deadline deadline) override {
    fail(trouble_.suspends);
    co_await inner_->suspend(std::move(id), deadline);
  }
  awaitable<void> resume(std::string id, Deadline deadline) override {
    fail(trouble_.resumes);
    co_await inner_->resume(std::move(id), deadline);
  }
  awaitable<void> signal(std::string id, std::string signal, Deadline deadline) override {
    return inner_->signal(std::move(id), std::move(signal), deadline);
  }
  awaitable<void> destroy(std::string id, Deadline deadline) override {
    fail(trouble_.destroys);
    co_await inner_->destroy(std::move(id), deadline);
  }
  awaitable<bool> isRunning(std::string id, Deadline deadline) override { return inner_->isRunning(std::move(id), deadline); }
  awaitable<GuestExecResult> exec(std::string id, GuestExec request, Deadline deadline) override {
    return inner_->exec(std::move(id), std::move(request), deadline);
  }
  awaitable<std::vector<GuestProcess>> processes(std::string id, Deadline deadline) override {
    return inner_->processes(std::move(id), deadline);
  }
  awaitable<std::vector<emulator::GuestLine>> log(std::string id, int most, Deadline deadline) override {
    return inner_->log(std::move(id), most, deadline);
  }
  awaitable<net::StreamPtr> connect(std::string id, std::uint16_t port, Deadline deadline) override {
    return inner_->connect(std::move(id), port, deadline);
  }
  awaitable<void> createVolume(std::string id, std::int64_t size, Deadline deadline) override {
    fail(trouble_.volumes);
    co_await inner_->createVolume(std::move(id), size, deadline);
  }
  awaitable<void> copyVolume(std::string from, std::string to, Deadline deadline) override {
    fail(trouble_.copies);
    co_await inner_->copyVolume(std::move(from), std::move(to), deadline);
  }
  awaitable<void> destroyVolume(std::string id, Deadline deadline) override { return inner_->destroyVolume(std::move(id), deadline); }
  awaitable<std::int64_t> volumeBytesUsed(std::string id, Deadline deadline) override {
    return inner_->volumeBytesUsed(std::move(id), deadline);
  }
  awaitable<std::vector<std::string>> machineIds(Deadline deadline) override { return inner_->machineIds(deadline); }
  awaitable<std::vector<std::string>> volumeIds(Deadline deadline) override { return inner_->volumeIds(deadline); }

 private:
  static void fail(int& left) {
    if (left > 0 && left-- > 0) throw Error(ErrorCode::Unavailable, "The Engine can't be reached.");
  }
  BackendPtr inner_;
  Trouble& trouble_;
};

class FlakyBackendTest : public EmulatorFixture {
 protected:
  FlakyBackendTest() {
    options.times.backendRetry = std::chrono::milliseconds(1);
    wrap = [this](BackendPtr backend) { return std::make_unique<FlakyBackend>(std::move(backend), trouble); };
  }
  bool runs(const std::string& machine) {
    return loop->run(emulator().backend().isRunning(machine.substr(machine.rfind('/') + 1), Deadline::after(std::chrono::seconds(5))));
  }
  Trouble trouble;
};

TEST_F(FlakyBackendTest, aStopIsTriedUntilTheProcessHasReallyEnded) {
  createApp();
  std::string machine = createStarted();
  trouble.stops = 3;
  EXPECT_EQ(post(machine + "/stop").status, 200);
  waitFor(machine, "stopped");
  EXPECT_EQ(trouble.stops, 0);
  EXPECT_FALSE(runs(machine));
}

TEST_F(FlakyBackendTest, aDestroyIsTriedUntilNothingIsLeft) {
  createApp();
  std::string machine = createStarted();
  trouble.destroys = 3;
  EXPECT_EQ(send("DELETE", machine + "?force=true").status, 200);
  waitFor(machine, "destroyed");
  EXPECT_EQ(state().at("backend").at("machines").to_number<int>(), 0);
}

TEST_F(FlakyBackendTest, aSuspendedMachineIsStoppedAlthoughTheBackendFailsAtFirst) {
  createApp();
  std::string machine = createStarted();
  post(machine + "/suspend");
  waitFor(machine, "suspended");
  trouble.destroys = 2;
  EXPECT_EQ(post(machine + "/stop").status, 200);
  waitFor(machine, "stopped");
  EXPECT_EQ(state().at("backend").at("machines").to_number<int>(), 0);
}

TEST_F(FlakyBackendTest, aBootThatFailsEndsInFailedAndCanBeStartedAgain) {
  createApp();
  trouble.boots = 1;
  std::string machine = createMachine();
  EXPECT_EQ(get(machine + "/wait?state=settled").at("/state"), "failed");
  EXPECT_EQ(post(machine + "/start").status, 200);
  waitFor(machine, "started");
}

TEST_F(FlakyBackendTest, aResumeThatFailsIsAColdBoot) {
  createApp();
  std::string machine = createStarted();
  exec(machine, "echo lost > /f");
  post(machine + "/suspend");
  waitFor(machine, "suspended");
  trouble.resumes = 1;
  post(machine + "/start");
  waitFor(machine, "started");
  EXPECT_EQ(exec(machine, "cat /f").at("/exit_code"), "1");
}

TEST_F(FlakyBackendTest, aSuspendThatFailsLeavesTheMachineStarted) {
  createApp();
  std::string machine = createStarted();
  trouble.suspends = 1;
  post(machine + "/suspend");
  EXPECT_EQ(get(machine + "/wait?state=settled").at("/state"), "started");
}

TEST_F(FlakyBackendTest, aVolumeThatCouldNotBeMadeIsNotThere) {
  createApp();
  trouble.volumes = 1;
  EXPECT_EQ(post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}}).status, 503);
  EXPECT_EQ(get("/v1/apps/a1/volumes").text, "[]");
}

TEST_F(FlakyBackendTest, aSnapshotThatCouldNotBeMadeIsNotThere) {
  createApp();
  std::string volume = post("/v1/apps/a1/volumes", json::object{{"name", "data"}, {"region", "ams"}}).at("/id");
  trouble.copies = 1;
  EXPECT_EQ(post("/v1/apps/a1/volumes/" + volume + "/snapshots").status, 503);
  EXPECT_EQ(get("/v1/apps/a1/volumes/" + volume + "/snapshots").text, "[]");
}

TEST_F(FlakyBackendTest, aCreateWhoseImageCanNotBeLookedUpLeavesNoMachine) {
  createApp();
  trouble.images = 1;
  EXPECT_EQ(post("/v1/apps/a1/machines", json::object{{"config", {{"image", "alpine"}}}}).status, 503);
  EXPECT_EQ(get("/v1/apps/a1/machines").text, "[]");
}

}  // namespace
}  // namespace swarm::test
