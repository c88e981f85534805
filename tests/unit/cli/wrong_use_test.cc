// Values without a meaning: exit code 2 as for unknown flags, the verb's help is named, and nothing is changed at the server.
#include "unit/cli/api_double.h"

namespace swarm::cli::testing {
namespace {

TEST(WrongUse, isAValueThatMeansNothing) {
  const std::vector<std::vector<std::string>> lines{
      {"create", "web1", "--memory", "abc"},
      {"create", "web1", "--memory-min", "4x"},
      {"create", "web1", "--cpus", "0x"},
      {"create", "web1", "--disk", "ten"},
      {"create", "web1", "--pids", "many"},
      {"create", "web1", "--port", "http"},
      {"create", "web1", "--env", "A"},
      {"create", "web1", "--label", "=b"},
      {"create", "web1", "--volume", "data"},
      {"create", "web1", "--volume", "/data:big"},
      {"update", "web1", "--memory", "abc"},
      {"update", "web1", "--cpus", "0x"},
      {"update", "web1", "--env", "=b"},
      {"update", "web1"},
      {"git-identity", "Ada"},
      {"list", "--status", "asleep"},
      {"list", "--label", "x"},
      {"migrate", "web1", "--to", "docker", "--limit", "fast"},
      {"migrate", "web1", "--to", "docker", "--keep-source=soon"},
      {"logs", "web1", "--since", "soon"},
      {"forward", "web1", "http"},
      {"exec", "web1"},
  };
  for (const auto& words : lines) {
    ApiDouble api;
    const std::string workspace = R"({"id":"i-1","status":"running","config":{"name":"web1"}})";
    api.on("GET /api/instances/web1", 200, {workspace});
    api.on("GET /api/instances/i-1", 200, {workspace});
    const Ran ran = runCommand(api, words);
    std::string line;
    for (const std::string& word : words) line += " " + word;
    EXPECT_EQ(ran.code, 2) << line << ": " << ran.err;
    EXPECT_NE(ran.err.find("See `swarm " + words.front() + " --help`."), std::string::npos) << line << ": " << ran.err;
    for (const Received& request : api.received()) EXPECT_TRUE(request.line.starts_with("GET ")) << line << ": " << request.line;
  }
}

TEST(WrongUse, ofAProviderNamesThoseThatTheServerHas) {
  ApiDouble api;
  api.on("GET /api/providers", 200, {R"({"items":[{"type":"docker","status":"healthy"}]})"});
  for (std::vector<std::string> words : {std::vector<std::string>{"migrate", "web1", "--to", "mars"},
                                         {"create", "web1", "--provider", "mars"},
                                         {"list", "--provider", "mars"}}) {
    const Ran ran = runCommand(api, words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("mars: there is no such provider; this server has docker."), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("fake"), std::string::npos) << ran.err;
  }
}

TEST(WrongUse, isNotAValueThatTheServerRefuses) {
  ApiDouble api;
  api.on("POST /api/instances", 400, {R"({"code":"invalid_argument","detail":"The request is wrong."})"});
  EXPECT_EQ(runCommand(api, {"create", "web1", "--memory", "1m"}).code, 1);
}

}  // namespace
}  // namespace swarm::cli::testing
