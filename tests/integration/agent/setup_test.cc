// What a new container does for its person, in the real image: the setup script, git's identity, other storage, Node's options.
#include "integration/agent/image_fixture.h"

namespace swarm::agent {
namespace {

TEST_F(AgentInImage, aNewContainerRunsTheSetupScriptAndAPlainRestartDoesNot) {
  Options options;
  options.members = R"("setup":"#!/bin/bash\nsudo touch /opt/made && id -un >>~/ran\n","git":{"name":"Ada","email":"ada@example.com"})";
  begin(options);
  waitUntil([](const AgentHealth& health) { return health.setup == SetupState::Succeeded; });
  EXPECT_EQ(run("cat ~/ran; ls /opt/made; stat -c %U ~/.config/swarm/setup.sh").stdoutText, "coder\n/opt/made\ncoder\n");
  EXPECT_EQ(run("git config --global user.name; git config --global user.email; stat -c %U ~/.gitconfig").stdoutText,
            "Ada\nada@example.com\ncoder\n");
  EXPECT_THAT(container_->logs(), testing::HasSubstr("setup"));
  container_->stop(10);
  startContainer();
  waitUntilReady();
  EXPECT_EQ(waitUntil([](const AgentHealth& health) { return health.setup != SetupState::Running; }).setup, SetupState::Succeeded);
  EXPECT_EQ(run("cat ~/ran").stdoutText, "coder\n");
}

TEST_F(AgentInImage, nodesOptionsArePeoplesAndBreakNoVscode) {
  Options options;
  options.env = {"NODE_OPTIONS=--no-such-option", "NODE_REPL_EXTERNAL_MODULE=/absent.js"};
  begin(options);
  waitUntilReady();
  EXPECT_EQ(run("echo $NODE_OPTIONS $NODE_REPL_EXTERNAL_MODULE").stdoutText, "--no-such-option /absent.js\n");
  // Its terminals bring them back from here.
  EXPECT_EQ(run("cat /proc/$(pgrep -u coder -o -f entry.js)/environ | tr '\\0' '\\n' | grep -E '^(VSCODE_)?NODE_(OPTIONS|REPL)' | sort")
                .stdoutText,
            "VSCODE_NODE_OPTIONS=--no-such-option\nVSCODE_NODE_REPL_EXTERNAL_MODULE=/absent.js\n");
}

TEST_F(AgentInImage, whatBreaksVscodeIsReportedWithItsLastLine) {
  run("sudo sh -c 'printf \"#!/bin/sh\\necho it is broken >&2\\nexit 7\\n\" >/opt/swarm/bin/code-server'; pkill -f entry.js");
  auto health = waitUntil([](const AgentHealth& now) { return now.vscodeEnded && now.reason.find("exit code 7") != std::string::npos; });
  EXPECT_THAT(health.reason, testing::HasSubstr("it is broken"));
}

TEST_F(AgentInImage, freshStorageBesideTheHomeIsTheUsersAndFilledStorageStays) {
  Options options;
  options.host = {{"Tmpfs", boost::json::object{{"/data", "mode=0755"}, {"/srv/more", "mode=0755"}}}};
  options.members = R"("mounts":["/home/coder","/data","/srv/more","/usr/share"])";
  begin(options);
  EXPECT_EQ(run("stat -c %U /data /srv/more /usr/share; touch /data/a /srv/more/b && echo written").stdoutText,
            "coder\ncoder\nroot\nwritten\n");
}

}  // namespace
}  // namespace swarm::agent
