// What `swarm open` gives to the program that opens links, and what it prints instead.
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

/// xdg-open is a script that records its arguments.
class OpenCommand : public ::testing::Test {
 protected:
  OpenCommand() {
    set("PATH", (folder_ / "bin").string() + ":" + std::getenv("PATH"));
    set("DISPLAY", ":0");
    std::filesystem::create_directories(folder_ / "bin");
    const auto program = folder_ / "bin/xdg-open";
    std::ofstream(program) << "#!/bin/sh\nprintf '%s\\n' \"$@\" >'" << opened().string() << "'\n";
    ::chmod(program.c_str(), 0755);
  }
  ~OpenCommand() override {
    for (const auto& [name, value] : before_) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  std::filesystem::path opened() const { return folder_ / "opened"; }
  Ran openWith(const std::string& url_as_json) {
    api_.on("GET /api/instances/web1", 200,
            {R"({"id":"i-1","owner":"ada","provider":"docker","status":"running","config":{"name":"web1"},"url":")" + url_as_json +
             R"(","operationId":""})"});
    return runCommand(api_, {"open", "web1"});
  }

 private:
  void set(const std::string& name, const std::string& value) {
    const char* before = std::getenv(name.c_str());
    before_.emplace_back(name, before ? std::optional<std::string>(before) : std::nullopt);
    ::setenv(name.c_str(), value.c_str(), 1);
  }

  test::TempDir folder_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
  ApiDouble api_;
};

TEST_F(OpenCommand, opensTheWorkspacesUrl) {
  EXPECT_EQ(openWith("http://web1.localhost:7420/?x=%20&y").out, "");
  std::ifstream file(opened());
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "http://web1.localhost:7420/?x=%20&y");
}

TEST_F(OpenCommand, printsWhatIsNotALinkOnTheWeb) {
  for (const std::string url : {"file:///etc/passwd", "--help", "vscode://evil/run", "javascript:alert(1)", "http://x/ y", ""}) {
    EXPECT_EQ(openWith(url).out, url + "\n");
    EXPECT_FALSE(std::filesystem::exists(opened())) << url;
  }
}

TEST_F(OpenCommand, printsNothingThatATerminalWouldActOn) {
  EXPECT_EQ(openWith(R"(http://x/\u001b]0;title\u0007)").out, "http://x/␛]0;title␇\n");
}

}  // namespace
}  // namespace swarm::cli::testing
