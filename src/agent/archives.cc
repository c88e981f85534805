// What both directions share: tar's messages, and pipes.
#include "agent/archives.h"

#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/utf8.h"

namespace swarm::agent {

void addTarLine(ArchiveNotes& notes, std::string_view line) {
  if (line.starts_with("tar: Exiting with failure status") || line.starts_with("tar: Removing leading")) return;
  if (line.starts_with("tar: ")) line.remove_prefix(5);
  auto colon = line.find(": ");
  if (colon == std::string_view::npos) return notes.add("", toValidUtf8(line));
  // Names hold escapes for everything unusual, a colon is none; reasons of the system follow a second one.
  for (auto next = line.find(": ", colon + 2); next != std::string_view::npos && !line.substr(colon + 2).starts_with("Cannot ");
       next = line.find(": ", colon + 2)) {
    colon = next;
  }
  notes.add(toValidUtf8(line.substr(0, colon)), toValidUtf8(line.substr(colon + 2)));
}

SpawnRequest toolRequest(std::vector<std::string> argv) {
  SpawnRequest request;
  request.argv = std::move(argv);
  request.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/"};
  request.user = UserRecord{"root", ::geteuid(), ::getegid(), "/", "/bin/sh", {::getegid()}};
  return request;
}

awaitable<void> readLines(asio::posix::stream_descriptor& output, std::function<void(std::string_view)> take) {
  constexpr std::size_t longest = 64 * 1024;
  std::string line;
  std::array<char, 4096> piece{};
  for (;;) {
    boost::system::error_code error;
    auto bytes = co_await output.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
    if (error || bytes == 0) break;
    for (char c : std::string_view(piece.data(), bytes)) {
      if (c != '\n' && line.size() < longest) {
        line += c;
      } else if (c == '\n') {
        take(line);
        line.clear();
      }
    }
  }
  if (!line.empty()) take(line);
}

awaitable<bool> writePipe(asio::posix::stream_descriptor& input, std::string_view bytes) {
  boost::system::error_code error;
  co_await asio::async_write(input, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

}  // namespace swarm::agent
