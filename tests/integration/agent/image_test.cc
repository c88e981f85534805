// The agent as process 1 of the real workspace image: VS Code through its tunnels, restarts, orphans, storage, and the end.
#include "integration/agent/image_fixture.h"
#include "net/websocket/websocket.h"

namespace swarm::agent {
namespace {

TEST_F(AgentInImage, servesTheWorkbenchAndItsWebSocketThroughTheTunnel) {
  EXPECT_NE(waitUntilReady().generation, "");
  std::string page = workbench();
  EXPECT_THAT(page, testing::HasSubstr("workbench"));
  auto at = page.find("stable-");
  ASSERT_NE(at, std::string::npos);
  std::string path = "/" + page.substr(at, page.find_first_of("/\"'&", at) - at) +
                     "?reconnectionToken=8d0d5bd5-7b0f-4b1d-9c3a-0e6f4e2a9a11&reconnection=false&skipWebSocketFrames=false";
  auto socket = loop_.run(
      [](AgentTarget where, std::string what) -> awaitable<std::unique_ptr<net::WebSocket>> {
        auto deadline = Deadline::after(kPatience);
        auto tunnel = co_await openVscodeTunnel(where, deadline);
        net::Headers headers{{"Origin", "http://" + std::string(kHost)}};
        co_return co_await net::openWebSocket(std::move(tunnel), std::string(kHost), what, headers, deadline);
      }(target(), path),
      kPatience);
  EXPECT_TRUE(socket);
  EXPECT_GE(loop_.run(getActivity(target(), soon())).connections, 1);
}

TEST_F(AgentInImage, runsCommandsAsTheUserInItsHomeWithoutOurVariables) {
  auto result = run(
      "id -un; id -gn; pwd; echo $HOME $LANG $THEIRS$SWARM_OURS$SWARM_AGENT; command -v code-server; cat /proc/1/environ || echo closed");
  EXPECT_THAT(result.stdoutText,
              testing::StartsWith("coder\ncoder\n/home/coder\n/home/coder C.UTF-8 visible\n/opt/swarm/bin/code-server\n"));
  EXPECT_THAT(result.stdoutText, testing::HasSubstr("closed"));
  EXPECT_EQ(run("id -un", "root").stdoutText, "root\n");
}

TEST_F(AgentInImage, holdsNothingThatCouldSignAToken) {
  EXPECT_NE(run("test -e /etc/swarm/agent.json", "root").exitCode, 0);
  std::string seed = toHex(key_.bytes.reveal());
  EXPECT_EQ(run("grep -rls '" + seed + "' /etc /run /tmp /var /root /home/coder /proc/1/environ 2>/dev/null", "root").stdoutText, "");
}

TEST_F(AgentInImage, thatWasGivenASecretGoesOnToWork) {
  Options options;
  options.withSecret = true;
  begin(options);
  EXPECT_NE(waitUntilReady().generation, "");
  EXPECT_NE(run("cat /etc/swarm/agent.json").exitCode, 0) << "the instance's secret is not the user's to read";
  EXPECT_EQ(run("stat -c '%a %U' /etc/swarm/agent.json", "root").stdoutText, "400 root\n");
}

TEST_F(AgentInImage, vscodeThatIsKilledComesBackAsANewGeneration) {
  auto first = waitUntilReady();
  run("for p in /proc/[0-9]*; do grep -qs 'entry[.]js' $p/cmdline && kill -9 ${p#/proc/}; done; true");
  auto second = waitUntilReady(first.generation);
  EXPECT_NE(second.generation, first.generation);
  EXPECT_THAT(workbench(), testing::HasSubstr("workbench"));
}

TEST_F(AgentInImage, orphansAreReaped) {
  auto made = run("for n in 1 2 3 4 5; do (setsid sh -c 'exit 0' &); done; (sleep 0.2 &) ; true");
  EXPECT_EQ(made.exitCode, 0);
  std::string zombies = "?";
  for (auto end = soon(); !zombies.empty() && !end.hasPassed();)
    zombies = run("grep -ls '^State:.*Z' /proc/[0-9]*/status || true").stdoutText;
  EXPECT_EQ(zombies, "");
}

TEST_F(AgentInImage, hasWhatAPersonUsesInTheFirstTenMinutes) {
  auto missing =
      run("for tool in python3 python pip node npm npx gcc g++ make pkg-config vim nano less man jq tmux wget curl zsh gh git ssh rsync "
          "unzip; do "
          "command -v $tool >/dev/null || echo $tool; done; man -w git >/dev/null || echo man page; "
          "locale -a | grep -qx en_US.utf8 || echo en_US.utf8; python3 -m venv /tmp/venv && /tmp/venv/bin/pip --version >/dev/null || echo "
          "venv");
  EXPECT_EQ(missing.stdoutText, "") << missing.stderrText;
  EXPECT_EQ(run("npm config get prefix").stdoutText, "/home/coder/.local\n") << "a container that is replaced must not take it along";
  EXPECT_THAT(run("bash -ic 'echo $PATH'").stdoutText, testing::StartsWith("/home/coder/.local/bin:"));
  EXPECT_LT(std::stoi(run("du -sxm / 2>/dev/null | cut -f1").stdoutText), 1500) << "MiB on disk";
}

TEST_F(AgentInImage, freshStorageBelongsToTheUser) {
  auto result = run("touch /data/mine && stat -c %U /data && touch ~/mine && echo yes");
  EXPECT_EQ(result.stdoutText, "coder\nyes\n") << result.stderrText;
}

TEST_F(AgentInImage, measuresItself) {
  waitUntilReady();
  auto usage = loop_.run(getUsage(target(), soon()), kPatience);
  EXPECT_GT(usage.memory.usage, 1);
  EXPECT_GT(usage.memory.limit, usage.memory.usage);
  EXPECT_GT(usage.cpu.limit, 0);
  EXPECT_GT(usage.storage.usage, 0);
}

TEST_F(AgentInImage, stopsWithZeroThoughAShellDoesNotListen) {
  waitUntilReady();
  // Shells on a terminal ignore SIGTERM, and this one SIGHUP too.
  run("nohup setsid sh -c \"trap '' TERM HUP; while :; do sleep 1; done\" >/dev/null 2>&1 &");
  container_->stop(10);
  EXPECT_EQ(container_->exitCode(), 0) << "137 would be the Engine's SIGKILL after 10 s";
}

}  // namespace
}  // namespace swarm::agent
