// Preloaded into swarm-ssh in place of a function of libssh: what the code of an attacker does in a process that it has taken over. The
// variable DEED names it; "survived" on the connection says that the process was not ended for it.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace {

constexpr int kConnection = 3;

void attempt(std::string_view deed) {
  const int server = std::atoi(std::getenv("SERVER"));
  const auto map = [](int protection) { return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
  const char* const program[] = {"/bin/true", nullptr};
  if (deed == "read a file") ::open("/etc/passwd", O_RDONLY);
  if (deed == "write a file") ::open("/tmp/swarm-ssh-intruder", O_WRONLY | O_CREAT, 0600);
  if (deed == "remove a file") ::unlink("/tmp/swarm-ssh-intruder");
  if (deed == "run a program") ::execv(program[0], const_cast<char**>(program));
  if (deed == "start a process") ::fork();
  if (deed == "make a socket") ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (deed == "connect a socket") {
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    ::connect(kConnection, &nowhere, sizeof nowhere);
  }
  if (deed == "signal the server") ::kill(server, 0);
  if (deed == "have a socket signal the server") ::fcntl(kConnection, F_SETOWN, server);
  if (deed == "trace the server") ::ptrace(PTRACE_ATTACH, server, nullptr, nullptr);
  if (deed == "map code") map(PROT_READ | PROT_EXEC);
  if (deed == "make data code") ::mprotect(map(PROT_READ | PROT_WRITE), 4096, PROT_READ | PROT_EXEC);
  if (deed == "be dumpable") ::prctl(PR_SET_DUMPABLE, 1);
  if (deed == "map data") map(PROT_READ | PROT_WRITE);  // what it may do
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): of libssh
extern "C" __attribute__((visibility("default"))) int ssh_handle_key_exchange(void* /*session*/) {
  constexpr std::string_view identification = "SSH-2.0-swarm\r\n", survived = "survived";
  constexpr int again = -2;
  static bool is_confined = false;  // before that, libssh is called to write its identification
  if (!is_confined) {
    is_confined = true;
    ::send(kConnection, identification.data(), identification.size(), 0);
    return again;
  }
  attempt(std::getenv("DEED"));
  ::send(kConnection, survived.data(), survived.size(), 0);
  ::_exit(0);
}
