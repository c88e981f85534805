// The anchor: HTTP over one kept-alive blocking unix socket, by plain system calls; none of our own code between.
#pragma once

#include <string>

namespace swarm::bench {

class BareEngine {
 public:
  explicit BareEngine(const std::string& socket_path);
  ~BareEngine();
  BareEngine(const BareEngine&) = delete;
  BareEngine& operator=(const BareEngine&) = delete;

  /// The response's body; throws std::runtime_error for a status of 400 and above.
  std::string call(const std::string& method, const std::string& target, const std::string& body = {},
                   const std::string& content_type = "application/json");

 private:
  void fill();
  std::string takeLine();
  std::string takeBytes(std::size_t count);
  int socket_ = -1;
  std::string buffer_;
};

}  // namespace swarm::bench
