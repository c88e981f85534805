// What an administrator reads before a verb enters a workspace of another user.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "model/archive.h"
#include "support/temp_dir.h"
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

const std::string kInstance =
    R"({"id":"web1","owner":"ulla","provider":"docker","status":"running","config":{"name":"web1"},"url":"","operationId":""})";
const std::string kAccess = "GET /api/instances/web1/access";
const std::string kNotice = "web1 belongs to ulla. Your entry is recorded, with your name and the time.\n";

/// A port of this machine that is in use.
class TakenPort {
 public:
  TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    number_ = ntohs(address.sin_port);
  }
  ~TakenPort() { ::close(socket_); }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  std::string text() const { return std::to_string(number_); }

 private:
  int socket_;
  int number_ = 0;
};

struct Entering {
  std::vector<std::string> words;
  std::string request;  ///< that enters; empty: another program enters
};

class EntryNotice : public ::testing::Test {
 protected:
  EntryNotice() {
    for (const auto& [name, value] : {std::pair{"HOME", folder_.path().string()},
                                      {"XDG_CONFIG_HOME", (folder_ / "config").string()},
                                      {"DISPLAY", std::string()},
                                      {"WAYLAND_DISPLAY", std::string()}}) {
      const char* before = std::getenv(name);
      before_.emplace_back(name, before ? std::optional<std::string>(before) : std::nullopt);
      value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1);
    }
    api_.on("GET /api/instances/web1", 200, {kInstance});
    std::ofstream(folder_ / "archive") << "\x28\xb5\x2f\xfd" << makeEndMark({});
  }
  ~EntryNotice() override {
    for (const auto& [name, value] : before_) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }

  /// Each ends early, because the double refuses the entry, or a port is in use.
  std::vector<Entering> all() const {
    return {{{"exec", "web1", "--", "true"}, "GET /api/instances/web1/exec"},
            {{"ssh", "--stdio", "web1.swarm"}, "GET /api/instances/web1/ssh"},
            {{"forward", "web1", port_.text() + ":3000"}, ""},
            {{"open", "web1", "--desktop"}, ""},
            {{"export", "web1", "-o", (folder_ / "out").string()}, "GET /api/instances/web1/export"},
            {{"import", (folder_ / "archive").string(), "--name", "web1", "--force"}, "PUT /api/instances/web1/import?force=true"}};
  }
  std::size_t placeOf(const std::string& line, std::size_t from) {
    const std::vector<Received> received = api_.received();
    const auto found = std::find_if(received.begin() + static_cast<std::ptrdiff_t>(from), received.end(),
                                    [&](const Received& one) { return one.line == line; });
    return static_cast<std::size_t>(found - received.begin());
  }

  test::TempDir folder_;
  TakenPort port_;
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
  ApiDouble api_;
};

TEST_F(EntryNotice, comesOnceBeforeTheEntryIntoAnotherUsersWorkspace) {
  api_.on(kAccess, 200, {R"({"owner":"ulla","mayEnter":true,"entryIsRecorded":true})"});
  for (const Entering& entering : all()) {
    SCOPED_TRACE(entering.words.front());
    const std::size_t before = api_.received().size();
    const Ran ran = runCommand(api_, entering.words);
    const std::size_t place = ran.err.find(kNotice);
    ASSERT_NE(place, std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("Your entry is recorded", place + kNotice.size()), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out.find("recorded"), std::string::npos) << ran.out;
    if (entering.request.empty()) continue;
    ASSERT_LT(placeOf(entering.request, before), api_.received().size());
    EXPECT_LT(placeOf(kAccess, before), placeOf(entering.request, before));
  }
}

TEST_F(EntryNotice, doesNotComeForOnesOwnAndSharedWorkspaces) {
  api_.on(kAccess, 200, {R"({"owner":"ulla","mayEnter":true,"entryIsRecorded":false})"});
  for (const Entering& entering : all()) EXPECT_EQ(runCommand(api_, entering.words).err.find("recorded"), std::string::npos);
}

TEST_F(EntryNotice, isLeftOutWithServersOfEarlierVersions) {
  for (const Entering& entering : all()) {
    SCOPED_TRACE(entering.words.front());
    const std::size_t before = api_.received().size();
    EXPECT_EQ(runCommand(api_, entering.words).err.find("recorded"), std::string::npos);
    if (!entering.request.empty()) EXPECT_LT(placeOf(entering.request, before), api_.received().size()) << "it goes on";
  }
}

TEST_F(EntryNotice, isNotWhatAnOwnersNameSays) {
  api_.on(kAccess, 200, {R"({"owner":"\u001b[2Jx","mayEnter":true,"entryIsRecorded":true})"});
  EXPECT_EQ(runCommand(api_, {"exec", "web1", "--", "true"}).err.find('\x1b'), std::string::npos);
}

TEST_F(EntryNotice, isLeftOutWithATokenThatMayNotRead) {
  api_.on(kAccess, 403, {R"({"code":"permission_denied","detail":"The token lacks the scope read."})"});
  const Ran ran = runCommand(api_, {"exec", "web1", "--", "true"});
  EXPECT_EQ(ran.err.find("recorded"), std::string::npos);
  EXPECT_LT(placeOf("GET /api/instances/web1/exec", 0), api_.received().size()) << "the entry itself decides";
}

TEST_F(EntryNotice, isLeftToThePageWhereABrowserEnters) {
  api_.on(kAccess, 200, {R"({"owner":"ulla","mayEnter":true,"entryIsRecorded":true})"});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"open", "web1"}, {"open", "web1", "--print"}, {"open", "web1", "--desktop", "--print"}})
    EXPECT_EQ(runCommand(api_, words).err.find("recorded"), std::string::npos);
}

}  // namespace
}  // namespace swarm::cli::testing
