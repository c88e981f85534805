// One SSH connection: key exchange, sign-in by public key, and channels of the kind direct-tcpip; nothing else is accepted. libssh speaks
// the protocol; what is allowed, the server decides, to which this program passes each question.
#pragma once

#include <libssh/server.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files/descriptor.h"
#include "ssh/control/control.h"

namespace swarm::ssh {

class Connection {
 public:
  /// `host_key`: in OpenSSH's form. The client has received kIdentification.
  Connection(int socket, int control, const std::string& host_key);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Until the client, or the server, has left.
  void run();

 private:
  using MessagePtr = std::unique_ptr<ssh_message_struct, decltype(&ssh_message_free)>;
  struct Channel {
    ssh_channel channel;
    Descriptor socket;   ///< of the server
    std::string up{};    ///< from the client, not yet written to the socket
    std::string down{};  ///< from the socket, not yet given to libssh
    bool upEnded = false;
    bool downEnded = false;
  };

  bool swallowIdentification();
  bool isOpen() const;
  void wait();
  bool advance();
  bool handleClient(MessagePtr message);
  bool handleAuth(MessagePtr message);
  bool handleChannelOpen(MessagePtr message);
  bool handleServer();
  bool answerServer(const Message& message, Descriptor attached);
  void open(std::uint32_t number, Descriptor socket);
  void refuseAuth(ssh_message message);
  /// False: the channel has ended.
  bool passUp(Channel& channel);
  bool passDown(Channel& channel);
  void passAll();
  static std::size_t buffered(const Channel& channel);
  bool mayWrite() const;
  bool wantsInput(const Channel& channel) const;
  bool keepAlive();

  ssh_bind bind_;
  ssh_session session_;
  int socket_;
  int control_;
  ssh_counter_struct traffic_{};
  bool is_ready_ = false;    ///< keys were exchanged
  bool has_failed_ = false;  ///< the client broke a limit
  int attempts_ = 0;
  MessagePtr auth_;  ///< waits for the server
  std::uint32_t next_number_ = 0;
  std::map<std::uint32_t, MessagePtr> opening_;
  std::deque<Channel> channels_;
  std::vector<char> buffer_;
  SteadyTime next_keep_alive_;
  std::uint64_t traffic_seen_ = 0;
  int silent_intervals_ = 0;
};

}  // namespace swarm::ssh
