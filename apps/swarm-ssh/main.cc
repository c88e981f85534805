// The program swarm-ssh: one SSH connection of the server's listener, which starts it, with its two sockets, no environment, and little
// memory. Before it reads what the client sends, it confines itself (ADR 0017).
#include <fcntl.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <signal.h>

#include "connection.h"
#include "sandbox.h"

int main() {
  using namespace swarm::ssh;
  limitResources();
  ::signal(SIGPIPE, SIG_IGN);
  Message start;
  swarm::Descriptor attached;
  pollfd control{kControlFd, POLLIN, 0};
  ::poll(&control, 1, -1);
  if (receiveMessage(kControlFd, start, attached) != Received::Message || start.kind != Message::Kind::Start) return 2;
  ::fcntl(kConnectionFd, F_SETFL, ::fcntl(kConnectionFd, F_GETFL) | O_NONBLOCK);
  if (ssh_init() != SSH_OK) return 3;
  ssh_set_log_level(SSH_LOG_NOLOG);
  Connection connection(kConnectionFd, kControlFd, start.first + start.second);  // with it, OpenSSL has read its configuration
  if (!confineSystemCalls()) return 4;
  connection.run();
  return 0;
}
