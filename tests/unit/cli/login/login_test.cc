// `swarm login` by a browser: on this machine, and elsewhere with a code.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

constexpr const char* kLogin = R"({"token":"a.b.c","user":"ada","role":"user","expiresAt":"2026-12-09T00:00:00Z"})";

TEST(LoginVerb, printsACodeAndWaitsForItsConfirmation) {
  ApiDouble api;
  api.on(
      "POST /api/auth/device", 201,
      {R"({"deviceCode":"d","userCode":"BCDF-GHJK","verificationUri":"http://swarm.localhost/login/device","expiresIn":60,"interval":0})"});
  api.on("POST /api/auth/device/token", 200, {kLogin});
  const Ran ran = runCommand(api, {"login", "--code"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("http://swarm.localhost/login/device"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("BCDF-GHJK"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("as ada (user)"), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("POST /api/auth/device/token"), boost::json::parse(R"({"deviceCode":"d"})"));
}

TEST(LoginVerb, endsWhenTheUserRefuses) {
  ApiDouble api;
  api.on(
      "POST /api/auth/device", 201,
      {R"({"deviceCode":"d","userCode":"BCDF-GHJK","verificationUri":"http://swarm.localhost/login/device","expiresIn":60,"interval":0})"});
  api.on("POST /api/auth/device/token", 403, {R"({"code":"permission_denied","detail":"The sign-in was refused in the browser."})"});
  EXPECT_EQ(runCommand(api, {"login", "--code"}).code, 4);
}

/// The value of a field of a link's query.
std::string fieldOf(const std::string& link, const std::string& name) {
  const auto begin = link.find(name + "=") + name.size() + 1;
  return link.substr(begin, link.find('&', begin) - begin);
}

/// Sends a request to the port of a link, and closes the connection without reading.
void askAndLeave(const std::string& link, const std::string& target) {
  const int browser = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(fieldOf(link, "port"))));
  ASSERT_EQ(::connect(browser, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  ASSERT_EQ(::send(browser, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  ::close(browser);
}

/// A desktop whose browser passes the link that it opens to the test.
class Desktop {
 public:
  Desktop() {
    EXPECT_EQ(::mkfifo(pipe().c_str(), 0600), 0);
    std::ofstream(folder_ / "xdg-open") << "#!/bin/sh\nprintf '%s\\n' \"$1\" > " << pipe() << '\n';
    std::filesystem::permissions(folder_ / "xdg-open", std::filesystem::perms::owner_all);
    path_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
    ::setenv("DISPLAY", ":0", 1);
    ::setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
  }
  ~Desktop() {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("DISPLAY");
    ::unsetenv("XDG_CONFIG_HOME");
  }
  Desktop(const Desktop&) = delete;
  Desktop& operator=(const Desktop&) = delete;
  std::string awaitLink() {
    std::array<char, 4096> link{};
    pollfd opened{::open(pipe().c_str(), O_RDWR | O_CLOEXEC), POLLIN, 0};
    EXPECT_EQ(::poll(&opened, 1, 20'000), 1) << "no browser was started";
    const ssize_t count = opened.revents == 0 ? 0 : ::read(opened.fd, link.data(), link.size());
    ::close(opened.fd);
    return {link.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 1) - 1)};  // without the end of the line
  }

 private:
  std::string pipe() const { return (folder_ / "link").string(); }
  test::TempDir folder_;
  std::string path_;
};

TEST(LoginVerb, takesTheCodeOfABrowserThatClosesBeforeTheResponse) {
  ApiDouble api;
  api.on("POST /api/auth/program", 200, {kLogin});
  Desktop desktop;
  std::thread browser([&] {
    const std::string link = desktop.awaitLink();
    if (link.empty()) return;
    askAndLeave(link, "/?code=of-a-page&state=guessed");
    askAndLeave(link, "/?code=c0de&state=" + fieldOf(link, "state"));
  });
  const Ran ran = runCommand(api, {"login", api.url()});
  browser.join();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.err.find("as ada (user)"), std::string::npos) << ran.err;
  EXPECT_EQ(api.bodyOf("POST /api/auth/program").at("code"), "c0de");
}

TEST(LoginVerb, takesEitherACodeOrAPassword) {
  ApiDouble api;
  EXPECT_EQ(runCommand(api, {"login", "--code", "--user", "ada"}).code, 2);
  EXPECT_EQ(runCommand(api, {"login", "--code", "--password-stdin"}).code, 2);
}

}  // namespace
}  // namespace swarm::cli::testing
