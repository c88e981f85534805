// A stand-in for code-server: listens on --socket PATH and responds to every request with 200, or echoes after an upgrade. SIGTERM ends it.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace {

void endQuietly(int) { _exit(0); }

/// One connection in a process of its own.
void serve(int fd) {
  std::string head;
  char buffer[4096];
  for (ssize_t got = 0; head.find("\r\n\r\n") == std::string::npos; head.append(buffer, static_cast<std::size_t>(got))) {
    got = read(fd, buffer, sizeof buffer);
    if (got <= 0) return;
  }
  if (head.find("Upgrade: echo") == std::string::npos) {
    constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    if (write(fd, kResponse.data(), kResponse.size()) < 0) return;
    return;
  }
  constexpr std::string_view kSwitch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
  if (write(fd, kSwitch.data(), kSwitch.size()) < 0) return;
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    if (write(fd, buffer, static_cast<std::size_t>(got)) < 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  for (int at = 1; at + 1 < argc; ++at) {
    if (strcmp(argv[at], "--socket") == 0) path = argv[at + 1];
  }
  if (path.empty()) return 2;
  signal(SIGTERM, endQuietly);
  signal(SIGCHLD, SIG_IGN);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 64) != 0) {
    perror("bind");
    return 1;
  }
  puts("listening");
  fflush(stdout);
  for (;;) {
    int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    if (fork() == 0) {
      signal(SIGTERM, SIG_DFL);
      serve(connection);
      _exit(0);
    }
    close(connection);
  }
}
