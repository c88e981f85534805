// What the server and its program swarm-ssh, of which each SSH connection has a process, say to each other: messages on a socket pair that
// keeps their boundaries (SOCK_SEQPACKET).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/files/descriptor.h"

namespace swarm::ssh {

/// The descriptors that swarm-ssh is started with.
inline constexpr int kConnectionFd = 3, kControlFd = 4;
/// What the server sends first, before there is a process; swarm-ssh does not send it again.
inline constexpr std::string_view kIdentification = "SSH-2.0-swarm\r\n";
inline constexpr std::uint16_t kSshPort = 22;
inline constexpr std::size_t kMaxChannels = 16;           ///< of one connection
inline constexpr std::size_t kMaxMessage = 8192;          ///< bytes
inline constexpr std::size_t kMaxHostName = 255;          ///< of the destination of a channel; longer ones are refused by the program
inline constexpr std::size_t kMaxUserName = 64;           ///< longer ones are cut by the program
inline constexpr std::size_t kMaxCertificate = 7 * 1024;  ///< longer ones are refused by the program; RSA with 16,384 bits has 6.5 KiB

struct Message {
  enum class Kind : std::uint8_t {
    // From the server.
    Start,   ///< first: the private host key, in OpenSSH's form
    Accept,  ///< of the question or sign-in that waits
    Refuse,  ///< the same
    Opened,  ///< of the channel `number`: with a socket that carries its bytes
    Failed,  ///< of the channel `number`
    Ping,    ///< to be answered at once
    // From the program.
    Probe,   ///< may the key with the fingerprint `first` sign in at all?
    SignIn,  ///< the client has proven to have the key `second`; `first`: the user's name as given
    Open,    ///< the channel `number`: to the port `port` of `first`
    Pong,
    ProbeCertificate,     ///< may a client with the certificate `second` sign in with the user's name `first` at all?
    SignInByCertificate,  ///< the client has proven to have its key; the fields are those of ProbeCertificate
  };
  static constexpr Kind kLastKind = Kind::SignInByCertificate;
  Kind kind = Kind::Ping;
  std::uint32_t number = 0;
  std::uint16_t port = 0;
  std::string first{};
  std::string second{};
};

std::string encode(const Message& message);
std::optional<Message> decode(std::string_view bytes);  ///< nothing: malformed

/// Full: the other end has not read enough of what was sent before.
enum class Sent { Yes, Full, Gone };
/// Without waiting. `attached`: a descriptor that the other end gets a copy of.
Sent sendMessage(int socket, const Message& message, int attached = -1);

enum class Received { Message, Nothing, Over };  ///< Over: the other end is gone, or sent what is not a message
/// Without waiting. `attached`: invalid when the message has no descriptor.
Received receiveMessage(int socket, Message& message, Descriptor& attached);

}  // namespace swarm::ssh
