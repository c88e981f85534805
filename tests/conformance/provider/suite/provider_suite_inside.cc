// What happens inside an instance: commands, the agent's port, usage, live allocation, logs, network.
#include "conformance/provider/provider_fixture.h"
#include "net/stream/stream.h"

namespace swarm::testing {

TEST_P(ProviderSuite, aCommandGivesItsOutputAndExitCode) {
  InstanceSpec wanted = spec();
  wanted.config.env["GREETING"] = "good day";
  create(wanted);
  EXPECT_EQ(execute(wanted.placeId, {"true"}).exitCode, 0);
  EXPECT_EQ(execute(wanted.placeId, {"false"}).exitCode, 1);
  EXPECT_EQ(execute(wanted.placeId, {"sh", "-c", "exit 7"}).exitCode, 7);
  EXPECT_EQ(execute(wanted.placeId, {"echo", "hello"}).stdoutText, "hello\n");
  EXPECT_EQ(execute(wanted.placeId, {"printenv", "GREETING"}).stdoutText, "good day\n");
  CommandResult missing = execute(wanted.placeId, {"cat", "/no/such/file"});
  EXPECT_EQ(missing.exitCode, 1);
  EXPECT_EQ(missing.stdoutText, "");
  EXPECT_NE(missing.stderrText.find("/no/such/file"), std::string::npos);
}

TEST_P(ProviderSuite, aCommandReadsItsInputToTheEnd) {
  InstanceSpec wanted = spec();
  create(wanted);
  EXPECT_EQ(execute(wanted.placeId, {"cat"}, "line one\nline two").stdoutText, "line one\nline two");
  EXPECT_EQ(execute(wanted.placeId, {"cat"}).stdoutText, "");
}

TEST_P(ProviderSuite, aCommandThatDoesNotExistIs127OnStderr) {
  InstanceSpec wanted = spec();
  create(wanted);
  CommandResult result = execute(wanted.placeId, {"no-such-program"});
  EXPECT_EQ(result.exitCode, 127);
  EXPECT_NE(result.stderrText.find("no-such-program"), std::string::npos) << result.stdoutText;
}

TEST_P(ProviderSuite, binaryAndLargeOutputComesWholeOrSaysThatItWasCut) {
  if (!deviations_.runsRealCommands || !deviations_.runsAnySize) GTEST_SKIP() << "declared: simulated commands, or small texts only";
  InstanceSpec wanted = spec();
  create(wanted);
  std::string all;
  for (int i = 0; i < 256 * 1024; ++i) all += static_cast<char>(i * 31 + i / 256);
  CommandResult echoed = execute(wanted.placeId, {"cat"}, all);
  EXPECT_EQ(echoed.stdoutText, all);
  EXPECT_FALSE(echoed.truncated);
  CommandResult both = execute(wanted.placeId, {"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(both.stdoutText, "out\n");
  EXPECT_EQ(both.stderrText, "err\n");
  EXPECT_EQ(both.exitCode, 3);
  CommandResult cut = execute(wanted.placeId, {"sh", "-c", "dd if=/dev/zero bs=1048576 count=6 2>/dev/null; exit 4"});
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.exitCode, 4);
}

TEST_P(ProviderSuite, aCommandThatDoesNotEndIsLeftAtTheDeadline) {
  if (!deviations_.runsRealCommands) GTEST_SKIP() << "declared: simulated commands";
  InstanceSpec wanted = spec();
  create(wanted);
  auto error = errorOf([&] {
    runner_.run(provider().executeCommand(wanted.placeId, {"sleep", "100"}, "", Deadline::after(std::chrono::milliseconds(700))));
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::DeadlineExceeded);
}

TEST_P(ProviderSuite, aCommandInAStoppedInstanceIsAConflict) {
  InstanceSpec wanted = spec();
  create(wanted);
  stop(wanted.placeId);
  auto error = errorOf([&] { execute(wanted.placeId, {"true"}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
}

TEST_P(ProviderSuite, theAgentIsReachedThroughItsEndpoint) {
  InstanceSpec wanted = spec();
  create(wanted);
  auto talk = [&]() -> asio::awaitable<std::string> {
    net::HttpEndpoint endpoint = co_await provider().agentEndpoint(wanted.placeId, soon());
    std::string request =
        "GET /health HTTP/1.1\r\nHost: " + (endpoint.host.empty() ? "agent" : endpoint.host) + "\r\nConnection: close\r\n";
    for (const net::Header& header : endpoint.headers) request += header.name + ": " + header.value + "\r\n";
    request += "\r\n";
    Deadline deadline = Deadline::after(std::chrono::seconds(10));
    // The process inside may need a moment before it listens: the port is published from the start.
    while (!deadline.hasPassed()) {
      net::StreamPtr stream = co_await endpoint.connect(deadline);
      stream->setDeadline(deadline.time());
      co_await stream->writeAll(std::string_view(request));
      std::vector<char> buffer(1024);
      net::IoResult got = co_await stream->readSome(asio::buffer(buffer));
      if (got.bytes > 0) co_return std::string(buffer.data(), got.bytes);
    }
    co_return "";
  };
  EXPECT_EQ(runner_.run(talk()).substr(0, 5), "HTTP/");
}

TEST_P(ProviderSuite, theAgentHasTheTlsKeyOfItsOwnPlaceOrNone) {
  InstanceSpec wanted = spec();
  wanted.agentTlsKey = Secret(std::string(32, 'k'));
  create(wanted);
  const auto tls_place = [&] { return runner_.run(provider().agentEndpoint(wanted.placeId, soon())).tlsPlace; };
  const PlaceId place = tls_place();
  EXPECT_TRUE(place.empty() || place == wanted.placeId) << place;
  stop(wanted.placeId);
  start(wanted.placeId);
  EXPECT_EQ(tls_place(), place) << "another start is the same agent";
}

TEST_P(ProviderSuite, aStoppedInstanceHasNoAgent) {
  InstanceSpec wanted = spec();
  create(wanted);
  stop(wanted.placeId);
  auto error = errorOf([&] { runner_.run(provider().agentEndpoint(wanted.placeId, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Conflict);
}

TEST_P(ProviderSuite, usageReportsLimitsAndWhatIsUsed) {
  InstanceSpec wanted = spec();
  create(wanted);
  if (deviations_.measuresUsage) execute(wanted.placeId, {"sh", "-c", "dd if=/dev/zero of=/home/coder/big bs=1048576 count=16"});
  ResourceUsage usage = runner_.run(provider().getResourceUsage(wanted.placeId, UsageDepth::Full, soon()));
  ResourceConfig limits = fixture_->effective(wanted.config.resources);
  EXPECT_EQ(usage.cpu.limit, limits.cpu.limit);
  EXPECT_EQ(usage.memory.limit, limits.memory.max);
  EXPECT_EQ(usage.storage.limit, 1);
  EXPECT_EQ(usage.memory.usage > 0, deviations_.reportsUsage);
  EXPECT_LE(usage.memory.usage, usage.memory.limit);
  EXPECT_GE(usage.cpu.usage, 0);
  if (deviations_.measuresUsage) {
    EXPECT_GT(usage.storage.usage, 15.0 / 1024);
  }
  stop(wanted.placeId);
  ResourceUsage idle = runner_.run(provider().getResourceUsage(wanted.placeId, UsageDepth::Full, soon()));
  EXPECT_EQ(idle.memory.usage, 0);
  EXPECT_EQ(idle.memory.limit, limits.memory.max);
}

TEST_P(ProviderSuite, cpuUsageOfABusyInstanceIsNearItsLimit) {
  if (!deviations_.measuresUsage) GTEST_SKIP() << "declared: figures are made up";
  InstanceSpec wanted = spec();
  create(wanted);
  execute(wanted.placeId, {"sh", "-c", "(while :; do :; done) >/dev/null 2>&1 </dev/null &"});
  auto busy = [&] {
    double usage = runner_.run(provider().getResourceUsage(wanted.placeId, UsageDepth::Full, soon())).cpu.usage;
    return usage > 5 && usage < 100;
  };
  EXPECT_TRUE(runner_.waitFor(busy));
}

TEST_P(ProviderSuite, cpuAndMemoryChangeLiveOrSayThatTheyNeedARestart) {
  InstanceSpec wanted = spec();
  create(wanted);
  ResourceConfig more = wanted.config.resources;
  more.cpu = {1, 800};
  more.memory = {0, 96};
  more.pids = 100;
  AllocationEffect effect = runner_.run(provider().allocateResources(wanted.placeId, more, soon()));
  if (provider().getProviderCapabilities().supportsLiveResize) {
    EXPECT_EQ(effect, AllocationEffect::Live);
  }
  if (effect == AllocationEffect::NeedsRestart) {
    wanted.config.resources = more;
    runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  }
  ResourceConfig expected = fixture_->effective(more);
  auto now = get(wanted.placeId);
  ASSERT_TRUE(now);
  EXPECT_EQ(now->resources.cpu.limit, expected.cpu.limit);
  EXPECT_EQ(now->resources.cpu.cores, expected.cpu.cores);
  EXPECT_EQ(now->resources.memory.max, expected.memory.max);
  EXPECT_EQ(now->resources.pids, 100);
  EXPECT_EQ(now->status, InstanceStatus::running);
  EXPECT_EQ(list().at(0).resources.memory.max, expected.memory.max) << "a list may not remember old limits";
}

TEST_P(ProviderSuite, sharedMemoryHasItsSizeAndAnotherAfterAReplacement) {
  if (!deviations_.runsRealCommands) GTEST_SKIP() << "declared: simulated commands";
  InstanceSpec wanted = spec();
  wanted.config.resources.shmSize = 48;
  create(wanted);
  auto mount = [&] {
    const std::string mounts = readFile(wanted.placeId, "/proc/mounts");
    const std::size_t at = mounts.find(" /dev/shm tmpfs ");
    return at == std::string::npos ? mounts : mounts.substr(at, mounts.find('\n', at) - at);
  };
  EXPECT_NE(mount().find("size=49152k"), std::string::npos) << mount();
  EXPECT_EQ(get(wanted.placeId)->resources.shmSize, 48);
  wanted.config.resources.shmSize = 32;
  runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_NE(mount().find("size=32768k"), std::string::npos) << mount();
  EXPECT_EQ(get(wanted.placeId)->resources.shmSize, 32);
  wanted.config.resources.shmSize = 0;
  runner_.run(provider().replaceInstance(wanted, no_progress_, soon()));
  EXPECT_EQ(mount().find("size=32768k"), std::string::npos) << mount();
  EXPECT_EQ(get(wanted.placeId)->resources.shmSize, 0);
}

TEST_P(ProviderSuite, whatOneMachineCanNotGiveIsRefusedLive) {
  if (!deviations_.enforcesLimits) GTEST_SKIP() << "declared: has no machine with limits";
  InstanceSpec wanted = spec();
  create(wanted);
  ResourceConfig more = wanted.config.resources;
  more.memory.max = 1LL << 40;
  auto error = errorOf([&] { runner_.run(provider().allocateResources(wanted.placeId, more, soon())); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Unprocessable);
  EXPECT_EQ(get(wanted.placeId)->resources.memory.max, fixture_->effective(wanted.config.resources).memory.max);
}

TEST_P(ProviderSuite, exposedPortsAreMapped) {
  InstanceSpec wanted = spec();
  wanted.config.network.exposedPorts = {8080, 9000};
  create(wanted);
  NetworkInfo info = runner_.run(provider().getNetworkInfo(wanted.placeId, soon()));
  EXPECT_EQ(info.hostname, fixture_->hostname(wanted));
  EXPECT_FALSE(info.internalIp.empty());
  ASSERT_EQ(info.ports.size(), 2u);
  for (const PortMapping& port : info.ports) {
    EXPECT_TRUE(port.internal == 8080 || port.internal == 9000);
    EXPECT_GT(port.external, 0);
  }
}

TEST_P(ProviderSuite, changedPortsNeedARestartAndTheSameOnesDoNot) {
  InstanceSpec wanted = spec();
  wanted.config.network.exposedPorts = {8080};
  create(wanted);
  EXPECT_EQ(runner_.run(provider().configureNetwork(wanted.placeId, wanted.config.network, soon())), AllocationEffect::Live);
  wanted.config.network.exposedPorts = {8080, 9000};
  EXPECT_EQ(runner_.run(provider().configureNetwork(wanted.placeId, wanted.config.network, soon())), AllocationEffect::NeedsRestart);
}

TEST_P(ProviderSuite, logsHaveWhatTheMainProcessWrote) {
  if (!deviations_.hasLogs) {
    EXPECT_EQ(provider().logs(), nullptr);
    return;
  }
  InstanceSpec wanted = spec();
  create(wanted);
  auto read = [&]() -> asio::awaitable<std::string> {
    auto reader = co_await provider().logs()->openLogs(wanted.placeId, {.follow = true, .tail = {}, .since = {}}, soon());
    std::string text;
    while (text.find("ready") == std::string::npos) {
      std::string piece = co_await reader->next(Deadline::after(std::chrono::seconds(10)));
      if (piece.empty()) break;
      text += piece;
    }
    co_return text;
  };
  EXPECT_NE(runner_.run(read()).find("ready"), std::string::npos);
}

}  // namespace swarm::testing
