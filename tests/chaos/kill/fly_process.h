// FlyProcess: a fly-emulator in a process of its own, that can be killed and come back at the same ports with what it held.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/provider/coroutine_runner.h"

namespace swarm::test {

class FlyProcess {
 public:
  /// `arguments`: beside the token and the addresses; {"--backend", "memory"}.
  explicit FlyProcess(std::vector<std::string> arguments);
  ~FlyProcess();  ///< SIGTERM, and waits
  FlyProcess(const FlyProcess&) = delete;
  FlyProcess& operator=(const FlyProcess&) = delete;

  void start();  ///< returns when it responds
  void kill();   ///< SIGKILL, and waits

  std::string apiUrl() const { return "http://127.0.0.1:" + std::to_string(api_port_); }
  std::string appUrl() const { return "http://{app}.fly.localhost:" + std::to_string(edge_port_); }
  std::uint16_t edgePort() const { return edge_port_; }
  std::string id() const { return id_; }  ///< its label fly-emulator.id, where it has containers and --data
  std::string send(std::string method, std::string target, std::string body = "");
  boost::json::value get(std::string target);
  void removeAllApps();

 private:
  void readAddresses(int from);

  testing::CoroutineRunner runner_;
  std::vector<std::string> arguments_;
  std::string id_;
  pid_t pid_ = -1;
  std::uint16_t api_port_ = 0;
  std::uint16_t edge_port_ = 0;
};

}  // namespace swarm::test
