// ServerProcess by fork and exec.
#include "chaos/kill/server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstring>
#include <stdexcept>

namespace swarm::test {
namespace {

constexpr int kSilenceMilliseconds = 660'000;

}  // namespace

ServerProcess::ServerProcess(const ServerSettings& settings, std::vector<std::string> environment) {
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  std::vector<char*> variables;
  for (char** one = environ; *one; ++one) variables.push_back(*one);
  for (std::string& one : environment) variables.push_back(one.data());
  variables.push_back(nullptr);
  std::string data_dir = settings.dataDir, id = settings.swarmId, image = settings.image, program = CHAOS_SERVER, log = settings.log;
  std::string fly = settings.flyApi, app = settings.flyApp;
  char* arguments[] = {
      program.data(), data_dir.data(), id.data(), image.data(), fly.empty() ? nullptr : fly.data(), app.empty() ? nullptr : app.data(),
      nullptr};
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing running
    int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    if (err >= 0) ::dup2(err, 2);
    ::execve(program.c_str(), arguments, variables.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  to_ = in[1];
  from_ = out[0];
}

ServerProcess::~ServerProcess() {
  if (!reaped_) ::kill(pid_, SIGKILL);
  reap();
  ::close(from_);
  if (to_ >= 0) ::close(to_);
}

int ServerProcess::reap() {
  if (!reaped_) ::waitpid(pid_, &status_, 0);
  reaped_ = true;
  return status_;
}

std::optional<boost::json::value> ServerProcess::readResponse() {
  for (;;) {
    if (auto end = buffer_.find('\n'); end != std::string::npos) {
      boost::json::value response = boost::json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return response;
    }
    pollfd watched{from_, POLLIN, 0};
    if (::poll(&watched, 1, kSilenceMilliseconds) <= 0) throw std::runtime_error("the server has been silent for 11 minutes");
    char piece[4096];
    ssize_t bytes = ::read(from_, piece, sizeof piece);
    if (bytes <= 0) return std::nullopt;
    buffer_.append(piece, static_cast<std::size_t>(bytes));
  }
}

bool ServerProcess::send(const std::string& line) {
  std::string text = line + "\n";
  // A dead server shows as end of file on its responses; SIGPIPE is ignored by the test.
  return ::write(to_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::optional<boost::json::value> ServerProcess::request(const std::string& line) {
  if (!send(line)) return std::nullopt;
  return readResponse();
}

bool ServerProcess::waitUntilStopped() {
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) != pid_) return false;
  if (WIFSTOPPED(status)) return true;
  status_ = status;
  reaped_ = true;
  return false;
}

void ServerProcess::letGoOn() { ::kill(pid_, SIGCONT); }

int ServerProcess::end() {
  ::close(to_);
  to_ = -1;
  return reap();
}

}  // namespace swarm::test
