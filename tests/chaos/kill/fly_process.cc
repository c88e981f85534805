// FlyProcess by fork and exec.
#include "chaos/kill/fly_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <stdexcept>

#include "net/http/http_client.h"

namespace swarm::test {

FlyProcess::FlyProcess(std::vector<std::string> arguments) : arguments_(std::move(arguments)) { start(); }

FlyProcess::~FlyProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

void FlyProcess::start() {
  int out[2];
  if (::pipe(out) != 0) throw std::runtime_error("pipe failed");
  std::vector<std::string> words{"fly-emulator",
                                 "--token",
                                 "chaos",
                                 "--listen",
                                 "127.0.0.1:" + std::to_string(api_port_),
                                 "--edge",
                                 "127.0.0.1:" + std::to_string(edge_port_),
                                 "--strict",
                                 "--no-rate-limits"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing running
    ::dup2(out[1], 1);
    ::execv(FLY_EMULATOR, pointers.data());
    ::_exit(127);
  }
  ::close(out[1]);
  readAddresses(out[0]);
  ::close(out[0]);
}

void FlyProcess::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

/// "Machines API  http://127.0.0.1:4280/v1", "Edge  http://<app>.fly.localhost:4281", "ready".
void FlyProcess::readAddresses(int from) {
  std::string text;
  char piece[512];
  while (text.find("\nready") == std::string::npos) {
    ssize_t got = ::read(from, piece, sizeof piece);
    if (got <= 0) throw std::runtime_error("fly-emulator did not start: " + text);
    text.append(piece, static_cast<std::size_t>(got));
  }
  auto port = [&](std::string_view before) {
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.find(before) + before.size())));
  };
  api_port_ = port("http://127.0.0.1:");
  edge_port_ = port("fly.localhost:");
  auto data = std::ranges::find(arguments_, "--data");
  if (data == arguments_.end() || data + 1 == arguments_.end()) return;
  std::ifstream file(*(data + 1) + "/emulator-id");
  file >> id_;
}

std::string FlyProcess::send(std::string method, std::string target, std::string body) {
  auto connect = [port = api_port_](Deadline deadline) { return net::connectTcp({"127.0.0.1", port}, deadline); };
  net::HttpClient client(connect, {.host = "127.0.0.1", .name = "the emulator"});
  net::HttpRequest request{.method = std::move(method), .target = std::move(target), .headers = {{"Authorization", "Bearer chaos"}}};
  if (!body.empty()) request.contentType = "application/json";
  request.body = std::move(body);
  return runner_.run(client.send(std::move(request), Deadline::after(std::chrono::seconds(60)))).body;
}

boost::json::value FlyProcess::get(std::string target) { return boost::json::parse(send("GET", std::move(target))); }

void FlyProcess::removeAllApps() {
  for (const auto& app : get("/v1/apps?org_slug=personal").at("apps").as_array())
    send("DELETE", "/v1/apps/" + std::string(app.at("name").as_string()) + "?force=true");
}

}  // namespace swarm::test
