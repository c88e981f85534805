// ServerProcess: one life of the chaos server, spoken to by lines.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace swarm::test {

struct ServerSettings {
  std::filesystem::path dataDir;
  std::string swarmId;
  std::string image;
  std::string flyApi;         ///< where an emulated Fly responds; empty: Docker is the provider
  std::string flyApp;         ///< where its apps respond; not empty: Docker and Fly both
  std::filesystem::path log;  ///< its stderr is appended here
};

class ServerProcess {
 public:
  /// `environment`: "NAME=value", added to ours. Throws when the process can't be started.
  ServerProcess(const ServerSettings& settings, std::vector<std::string> environment);
  ~ServerProcess();  ///< ends it for certain
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Nothing when the process died before it responded. Throws after eleven minutes of silence.
  std::optional<boost::json::value> awaitReady() { return readResponse(); }
  std::optional<boost::json::value> request(const std::string& line);
  bool send(const std::string& line);  ///< without waiting for the response; false: it is dead
  std::optional<boost::json::value> awaitResponse() { return readResponse(); }
  bool waitUntilStopped();  ///< by a fault "stop"; false: it has ended
  void letGoOn();           ///< SIGCONT
  pid_t pid() const { return pid_; }
  /// Closes its stdin and waits; the exit status as waitpid gives it.
  int end();

 private:
  std::optional<boost::json::value> readResponse();
  int reap();

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  std::string buffer_;
};

}  // namespace swarm::test
