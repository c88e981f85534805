// Just enough of HTTP/1.1 for a Docker Engine that responds as expected.
#include "bare_engine.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <strings.h>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace swarm::bench {

BareEngine::BareEngine(const std::string& socket_path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("no Engine at " + socket_path);
}

BareEngine::~BareEngine() { ::close(socket_); }

void BareEngine::fill() {
  char piece[64 * 1024];
  ssize_t got = ::read(socket_, piece, sizeof piece);
  if (got <= 0) throw std::runtime_error("the Engine closed the connection");
  buffer_.append(piece, static_cast<std::size_t>(got));
}

std::string BareEngine::takeLine() {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) fill();
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

std::string BareEngine::takeBytes(std::size_t count) {
  while (buffer_.size() < count) fill();
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string BareEngine::call(const std::string& method, const std::string& target, const std::string& body,
                             const std::string& content_type) {
  std::string message = method + " " + target + " HTTP/1.1\r\nHost: docker\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  if (!body.empty()) message += "Content-Type: " + content_type + "\r\n";
  message += "\r\n" + body;
  if (::write(socket_, message.data(), message.size()) != static_cast<ssize_t>(message.size())) throw std::runtime_error("short write");
  int status = std::atoi(takeLine().c_str() + 9);
  std::size_t length = 0;
  bool chunked = false;
  for (std::string line = takeLine(); !line.empty(); line = takeLine()) {
    if (::strncasecmp(line.c_str(), "Content-Length:", 15) == 0) length = std::strtoull(line.c_str() + 15, nullptr, 10);
    if (::strncasecmp(line.c_str(), "Transfer-Encoding: chunked", 26) == 0) chunked = true;
  }
  std::string response;
  if (!chunked) {
    if (status != 204 && status != 304) response = takeBytes(length);
  } else {
    while (std::size_t size = std::strtoull(takeLine().c_str(), nullptr, 16)) {
      response += takeBytes(size);
      takeLine();
    }
    takeLine();
  }
  if (status >= 400) throw std::runtime_error(method + " " + target + ": " + response);
  return response;
}

}  // namespace swarm::bench
