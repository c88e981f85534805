// The setup of a new container: once in its life, with the home's files and those of the settings.
#include "agent/workspace/setup.h"

#include "unit/agent/fixture.h"

namespace swarm::agent {
namespace {

class SetupTest : public LoopTest {
 protected:
  SetupTest() : users(ownUser(folder)) { std::filesystem::create_directories(folder / "home/.config/swarm"); }

  SetupOptions options(std::string container = "first") {
    SetupOptions made;
    made.home = (folder / "home").string();
    made.mark = folder / ("containers/" + container + "/setup.json");
    return made;
  }
  std::unique_ptr<agent::Setup> make(SetupOptions made) {
    return std::make_unique<agent::Setup>(context.get_executor(), children, Environment{{"PATH", "/usr/bin:/bin"}}, std::move(made), users);
  }
  std::unique_ptr<agent::Setup> ran(SetupOptions made) {
    auto setup = make(std::move(made));
    await(setup->run());
    return setup;
  }
  void writeScript(std::string_view text) { writeFile(script, text); }
  std::string lines() { return readFile(folder / "home/ran"); }

  UserDatabase users;
  std::filesystem::path script = folder / "home/.config/swarm/setup.sh";
};

TEST_F(SetupTest, runsOncePerContainer) {
  writeScript("echo $USER >>$HOME/ran\n");
  EXPECT_EQ(ran(options())->state(), SetupState::Succeeded);
  EXPECT_EQ(ran(options())->state(), SetupState::Succeeded) << "a plain restart does not repeat it";
  EXPECT_EQ(lines(), "coder\n");
  EXPECT_EQ(ran(options("second"))->state(), SetupState::Succeeded);
  EXPECT_EQ(lines(), "coder\ncoder\n");
}

TEST_F(SetupTest, aFailureIsRememberedAndNotRepeated) {
  writeScript("echo x >>$HOME/ran; exit 3\n");
  EXPECT_EQ(boost::json::serialize(ran(options())->toJson()), R"({"state":"failed","exitCode":3})");
  EXPECT_EQ(boost::json::serialize(ran(options())->toJson()), R"({"state":"failed","exitCode":3})");
  EXPECT_EQ(lines(), "x\n");
}

TEST_F(SetupTest, whatWasCutShortRunsAgain) {
  writeScript("echo x >>$HOME/ran; exec sleep 1000\n");
  auto setup = make(options());
  asio::co_spawn(context, setup->run(), asio::detached);
  waitUntil([&] { return lines() == "x\n"; });
  EXPECT_EQ(setup->state(), SetupState::Running);
  await(setup->stop(Deadline::after(kPatience)));
  writeScript("echo y >>$HOME/ran\n");
  await(setup->run());  // released after a move
  EXPECT_EQ(setup->state(), SetupState::Succeeded);
  EXPECT_EQ(lines(), "x\ny\n");
}

TEST_F(SetupTest, aScriptThatIsWrittenLaterWaitsForAnotherContainer) {
  EXPECT_EQ(ran(options())->state(), SetupState::None);
  writeScript("echo x >>$HOME/ran\n");
  EXPECT_EQ(ran(options())->state(), SetupState::None);
  EXPECT_EQ(ran(options("second"))->state(), SetupState::Succeeded);
}

TEST_F(SetupTest, anInterpreterOfItsOwnIsUsed) {
  writeScript("#!/usr/bin/env -S cat\n");
  ::chmod(script.c_str(), 0755);
  EXPECT_EQ(ran(options())->state(), SetupState::Succeeded);
}

TEST_F(SetupTest, bringsScriptAndIdentityWhereTheHomeHasNone) {
  SetupOptions made = options();
  made.script = "#!/bin/sh\necho \"it's $HOME\" >>$HOME/ran\n";
  made.git = {R"(Ada "the \ First" Lovelace)", "ada@example.com"};
  EXPECT_EQ(ran(made)->state(), SetupState::Succeeded);
  EXPECT_EQ(readFile(script), made.script);
  EXPECT_EQ(lines(), "it's " + (folder / "home").string() + "\n");
  EXPECT_EQ(readFile(folder / "home/.gitconfig"),
            "[user]\n\tname = \"Ada \\\"the \\\\ First\\\" Lovelace\"\n\temail = \"ada@example.com\"\n");
}

TEST_F(SetupTest, leavesWhatTheHomeHas) {
  writeScript("true\n");
  std::filesystem::create_symlink("elsewhere", folder / "home/.gitconfig");  // dangling: the user's dotfiles may create the target later
  SetupOptions made = options();
  made.script = "echo theirs >>$HOME/ran\n";
  made.git = {"Ada", "ada@example.com"};
  EXPECT_EQ(ran(made)->state(), SetupState::Succeeded);
  EXPECT_EQ(readFile(script), "true\n");
  EXPECT_EQ(lines(), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "home/elsewhere"));
}

}  // namespace
}  // namespace swarm::agent
