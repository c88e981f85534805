// The session never blocks: poll() waits for the client, the server and the sockets of the channels at once.
#include "connection.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/id.h"
#include "base/text/format.h"

namespace swarm::ssh {
namespace {

constexpr int kMaxAttempts = 20;  // with every key of an agent
constexpr int kReadsAtOnce = 16;  // before the channels and the server have their turn
constexpr std::size_t kPiece = 128 * 1024;
constexpr std::size_t kWindow = 1'280'000;                   // of a channel, in libssh, which does not enforce it
constexpr std::size_t kMaxBuffered = 4 * 1024 * 1024;        // of a channel: more than a window that is read and the one after it
constexpr std::size_t kMaxBufferedOfAll = 48 * 1024 * 1024;  // of a connection: more than two windows of each channel
constexpr std::chrono::seconds kKeepAliveEvery{60};
constexpr int kMaxSilentIntervals = 3;
constexpr int kCallsToIdentify = 10;     // of libssh, until it has written its identification
constexpr int kServerPatience = 10'000;  // milliseconds

// Without groups of large numbers, whose use costs the server as much as the client.
constexpr const char* kKeyExchanges =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
constexpr const char* kCiphers = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr";
constexpr const char* kMacs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";
constexpr const char* kClientKeys =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,sk-ssh-ed25519@openssh.com,"
    "sk-ecdsa-sha2-nistp256@openssh.com";

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/// Waits for room, for kServerPatience at most.
bool sendToServer(int control, const Message& message) {
  for (;;) {
    const Sent sent = sendMessage(control, message);
    if (sent != Sent::Full) return sent == Sent::Yes;
    pollfd file{control, POLLOUT, 0};
    if (::poll(&file, 1, kServerPatience) == 0) return false;
  }
}

/// Whether the other end of a socket pair has closed both directions.
bool isClosed(int socket) {
  pollfd file{socket, 0, 0};
  return ::poll(&file, 1, 0) > 0 && (file.revents & POLLHUP) != 0;
}

std::string fingerprintOf(ssh_key key) {
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0) return {};
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string fingerprint = text ? text : "";
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return fingerprint;
}

bool isCertificate(ssh_key key) { return std::string_view(ssh_key_type_to_char(ssh_key_type(key))).contains("-cert-v01@"); }

std::string bytesOf(ssh_key key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return {};
  std::string bytes = fromBase64(text).value_or("");
  ssh_string_free_char(text);
  return bytes;
}

}  // namespace

Connection::Connection(int socket, int control, const std::string& host_key)
    : bind_(ssh_bind_new()),
      session_(ssh_new()),
      socket_(socket),
      control_(control),
      auth_(nullptr, &ssh_message_free),
      buffer_(kPiece),
      next_keep_alive_(std::chrono::steady_clock::now() + kKeepAliveEvery) {
  ssh_key key = nullptr;
  const bool reads_files = false;  // of the system's configuration
  const auto set = [this](ssh_bind_options_e option, const void* value) { return ssh_bind_options_set(bind_, option, value) == SSH_OK; };
  const bool is_set = ssh_pki_import_privkey_base64(host_key.c_str(), nullptr, nullptr, nullptr, &key) == SSH_OK &&
                      set(SSH_BIND_OPTIONS_PROCESS_CONFIG, &reads_files) && set(SSH_BIND_OPTIONS_IMPORT_KEY, key) &&
                      set(SSH_BIND_OPTIONS_BANNER, "swarm") && set(SSH_BIND_OPTIONS_KEY_EXCHANGE, kKeyExchanges) &&
                      set(SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, "ssh-ed25519") && set(SSH_BIND_OPTIONS_CIPHERS_C_S, kCiphers) &&
                      set(SSH_BIND_OPTIONS_CIPHERS_S_C, kCiphers) && set(SSH_BIND_OPTIONS_HMAC_C_S, kMacs) &&
                      set(SSH_BIND_OPTIONS_HMAC_S_C, kMacs) && set(SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, kClientKeys);
  // Compressed data could be a bomb. "no" would only prefer "none".
  const bool is_plain = ssh_options_set(session_, SSH_OPTIONS_COMPRESSION_C_S, "none") == SSH_OK &&
                        ssh_options_set(session_, SSH_OPTIONS_COMPRESSION_S_C, "none") == SSH_OK;
  ssh_set_blocking(session_, 0);
  has_failed_ = !is_set || !is_plain || ssh_bind_accept_fd(bind_, session_, socket) != SSH_OK;
  ssh_set_counters(session_, &traffic_, nullptr);
  ssh_set_auth_methods(session_, SSH_AUTH_METHOD_PUBLICKEY);
  if (!has_failed_) has_failed_ = !swallowIdentification();
}

/// libssh begins with the identification, which the client has already: it writes it to a socket that stands in for that of the client.
bool Connection::swallowIdentification() {
  int sockets[2] = {-1, -1};
  const Descriptor client(::fcntl(socket_, F_DUPFD_CLOEXEC, 0));
  if (!client.valid() || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) != 0) return false;
  const Descriptor stand_in(sockets[0]), other(sockets[1]);
  if (::dup2(stand_in.get(), socket_) < 0) return false;
  std::string sent;
  for (int i = 0; i < kCallsToIdentify && sent.size() < kIdentification.size(); ++i) {
    if (ssh_handle_key_exchange(session_) != SSH_AGAIN) return false;
    char piece[kIdentification.size() + 1];
    if (const ssize_t count = ::recv(other.get(), piece, sizeof piece, 0); count > 0) sent.append(piece, static_cast<std::size_t>(count));
  }
  return sent == kIdentification && ::dup2(client.get(), socket_) >= 0;
}

Connection::~Connection() {
  auth_.reset();
  opening_.clear();
  ssh_free(session_);
  ssh_bind_free(bind_);
}

void Connection::run() {
  while (isOpen()) {
    wait();
    std::uint64_t seen = 0;
    do {
      seen = traffic_.in_bytes;
      if (!handleServer() || !advance()) return;
      passAll();  // libssh reads from the client here, too
    } while (isOpen() && traffic_.in_bytes != seen);
    if (!keepAlive()) return;
  }
}

bool Connection::isOpen() const { return !has_failed_ && (ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0; }

bool Connection::mayWrite() const { return (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) == 0; }

/// libssh takes any number of bytes for a client that does not read: it gets no more than the client has taken.
bool Connection::wantsInput(const Channel& channel) const {
  return channel.down.empty() && !channel.downEnded && mayWrite() && ssh_channel_window_size(channel.channel) > 0;
}

void Connection::wait() {
  std::vector<pollfd> files;
  const short client = auth_ ? 0 : POLLIN;
  files.push_back({socket_, static_cast<short>(client | (mayWrite() ? 0 : POLLOUT)), 0});
  files.push_back({control_, POLLIN, 0});
  for (const Channel& channel : channels_) {
    const short events = static_cast<short>((wantsInput(channel) ? POLLIN : 0) | (channel.up.empty() ? 0 : POLLOUT));
    // Without a reason to look at it, a closed one would still wake the loop.
    if (events != 0 || channel.downEnded) files.push_back({channel.socket.get(), events, 0});
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_keep_alive_ - std::chrono::steady_clock::now());
  ::poll(files.data(), files.size(), static_cast<int>(std::max<std::int64_t>(0, left.count())));
}

/// Lets libssh read and write, and handles what the client requests. While a sign-in waits for the server, the client waits too.
bool Connection::advance() {
  if (!is_ready_) {
    const int result = ssh_handle_key_exchange(session_);
    if (result == SSH_AGAIN) return true;
    if (result != SSH_OK) return false;
    is_ready_ = true;
  }
  for (int i = 0; i < kReadsAtOnce && !auth_; ++i) {
    const std::uint64_t seen = traffic_.in_bytes;
    MessagePtr message(ssh_message_get(session_), &ssh_message_free);
    if (message && !handleClient(std::move(message))) return false;
    if (!message && traffic_.in_bytes == seen) break;
  }
  return true;
}

bool Connection::handleClient(MessagePtr message) {
  switch (ssh_message_type(message.get())) {
    case SSH_REQUEST_SERVICE:
      ssh_message_service_reply_success(message.get());
      return true;
    case SSH_REQUEST_AUTH:
      return handleAuth(std::move(message));
    case SSH_REQUEST_CHANNEL_OPEN:
      return handleChannelOpen(std::move(message));
    default:  // shells, commands, environments, agents, forwarding to the client
      ssh_message_reply_default(message.get());
      return true;
  }
}

void Connection::refuseAuth(ssh_message message) {
  ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
  ssh_message_reply_default(message);
}

bool Connection::handleAuth(MessagePtr message) {
  if (++attempts_ > kMaxAttempts) return false;
  const auto state = ssh_message_auth_publickey_state(message.get());
  const bool is_key = ssh_message_subtype(message.get()) == SSH_AUTH_METHOD_PUBLICKEY;
  ssh_key key = is_key ? ssh_message_auth_pubkey(message.get()) : nullptr;
  const bool is_certificate = key && isCertificate(key);
  // libssh verifies that the client has the key, and nothing else of a certificate: the server does.
  const std::string shown = !key ? std::string() : is_certificate ? bytesOf(key) : fingerprintOf(key);
  if (shown.empty() || shown.size() > kMaxCertificate || (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID)) {
    refuseAuth(message.get());
    return true;
  }
  const char* given = ssh_message_auth_user(message.get());
  const std::string user = std::string(given ? given : "").substr(0, kMaxUserName);
  const bool is_proven = state == SSH_PUBLICKEY_STATE_VALID;
  Message question{.kind = Message::Kind::Probe, .first = shown};
  if (is_certificate)
    question = {.kind = is_proven ? Message::Kind::SignInByCertificate : Message::Kind::ProbeCertificate, .first = user, .second = shown};
  else if (is_proven)
    question = {.kind = Message::Kind::SignIn, .first = user, .second = shown};
  auth_ = std::move(message);
  return sendToServer(control_, question);
}

bool Connection::handleChannelOpen(MessagePtr message) {
  const char* host = ssh_message_channel_request_open_destination(message.get());
  const int port = ssh_message_channel_request_open_destination_port(message.get());
  const bool is_tcp = ssh_message_subtype(message.get()) == SSH_CHANNEL_DIRECT_TCPIP;
  const bool fits = opening_.size() + channels_.size() < kMaxChannels;
  if (!is_tcp || !fits || !host || std::strlen(host) > kMaxHostName || port < 1 || port > 65'535) {
    ssh_message_reply_default(message.get());
    return true;
  }
  const std::uint32_t number = next_number_++;
  const Message question{.kind = Message::Kind::Open, .number = number, .port = static_cast<std::uint16_t>(port), .first = host};
  opening_.emplace(number, std::move(message));
  return sendToServer(control_, question);
}

bool Connection::handleServer() {
  for (;;) {
    Message message;
    Descriptor attached;
    const Received received = receiveMessage(control_, message, attached);
    if (received != Received::Message) return received == Received::Nothing;
    if (!answerServer(message, std::move(attached))) return false;
  }
}

bool Connection::answerServer(const Message& message, Descriptor attached) {
  switch (message.kind) {
    case Message::Kind::Ping:
      return sendToServer(control_, {.kind = Message::Kind::Pong});
    case Message::Kind::Accept:
      if (!auth_) return false;
      if (ssh_message_auth_publickey_state(auth_.get()) == SSH_PUBLICKEY_STATE_VALID)
        ssh_message_auth_reply_success(auth_.get(), 0);
      else
        ssh_message_auth_reply_pk_ok_simple(auth_.get());
      auth_.reset();
      return true;
    case Message::Kind::Refuse:
      if (!auth_) return false;
      refuseAuth(auth_.get());
      auth_.reset();
      return true;
    case Message::Kind::Opened:
      open(message.number, std::move(attached));
      return true;
    case Message::Kind::Failed:
      if (const auto found = opening_.find(message.number); found != opening_.end()) {
        ssh_message_reply_default(found->second.get());
        opening_.erase(found);
      }
      return true;
    default:
      return false;
  }
}

void Connection::open(std::uint32_t number, Descriptor socket) {
  const auto found = opening_.find(number);
  if (found == opening_.end() || !socket.valid()) return;
  if (ssh_channel channel = ssh_message_channel_request_open_reply_accept(found->second.get()))
    channels_.push_back({.channel = channel, .socket = std::move(socket)});
  opening_.erase(found);
}

bool Connection::passUp(Channel& channel) {
  if (channel.up.empty()) {
    // As much as there is: with each piece that is read, libssh opens the whole window again, whatever of it is still to be read.
    int count = 0;
    do {
      count = ssh_channel_read_nonblocking(channel.channel, buffer_.data(), static_cast<std::uint32_t>(buffer_.size()), 0);
      if (count > 0) channel.up.append(buffer_.data(), static_cast<std::size_t>(count));
    } while (count > 0 && channel.up.size() < kWindow);
    if (channel.upEnded) {  // without a receiver
      channel.up.clear();
      return count != SSH_ERROR;
    }
    if (channel.up.empty()) {
      if (count == SSH_ERROR) return false;
      if (ssh_channel_is_eof(channel.channel)) {
        ::shutdown(channel.socket.get(), SHUT_WR);
        channel.upEnded = true;
      }
    }
  }
  ssh_channel_read_nonblocking(channel.channel, buffer_.data(), static_cast<std::uint32_t>(buffer_.size()), 1);  // has no meaning here
  if (channel.up.empty()) return true;
  const ssize_t count = ::send(channel.socket.get(), channel.up.data(), channel.up.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) {
    channel.up.erase(0, static_cast<std::size_t>(count));
  } else if (!wouldBlock()) {  // the receiver has closed; what it sent before that is still to be read
    channel.up.clear();
    channel.upEnded = true;
  }
  return true;
}

bool Connection::passDown(Channel& channel) {
  if (wantsInput(channel)) {
    const std::size_t most = std::min<std::size_t>(buffer_.size(), ssh_channel_window_size(channel.channel));
    const ssize_t count = ::recv(channel.socket.get(), buffer_.data(), most, MSG_DONTWAIT);
    if (count > 0) {
      channel.down.assign(buffer_.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || !wouldBlock()) {  // an error, too, comes after all that was sent
      ssh_channel_send_eof(channel.channel);
      channel.downEnded = true;
    }
  }
  if (channel.down.empty() || !mayWrite()) return true;
  const int count = ssh_channel_write(channel.channel, channel.down.data(), static_cast<std::uint32_t>(channel.down.size()));
  if (count > 0) channel.down.erase(0, static_cast<std::size_t>(count));
  if (count < 0 && ssh_get_error_code(session_) == SSH_FATAL) has_failed_ = true;  // without memory, for example
  return count >= 0;
}

/// What the client has sent, and no program has taken.
std::size_t Connection::buffered(const Channel& channel) {
  return channel.up.size() + static_cast<std::size_t>(std::max(0, ssh_channel_poll(channel.channel, 0)));
}

void Connection::passAll() {
  for (auto it = channels_.begin(); it != channels_.end() && !has_failed_;) {
    bool goes_on = passUp(*it) && passDown(*it) && ssh_channel_is_open(it->channel);
    if (it->downEnded && (it->upEnded || isClosed(it->socket.get()))) goes_on = false;
    if (goes_on) {
      ++it;
      continue;
    }
    ssh_channel_close(it->channel);
    ssh_channel_free(it->channel);
    it = channels_.erase(it);
  }
  std::size_t all = 0;
  for (const Channel& channel : channels_) {
    const std::size_t one = buffered(channel);
    all += one;
    if (one > kMaxBuffered || all > kMaxBufferedOfAll) has_failed_ = true;
  }
  if (channels_.size() > 1) {  // the first one may have used up what may be written now
    channels_.push_back(std::move(channels_.front()));
    channels_.pop_front();
  }
}

bool Connection::keepAlive() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_keep_alive_) return true;
  next_keep_alive_ = now + kKeepAliveEvery;
  silent_intervals_ = traffic_.in_bytes == traffic_seen_ ? silent_intervals_ + 1 : 0;
  traffic_seen_ = traffic_.in_bytes;
  if (silent_intervals_ >= kMaxSilentIntervals) return false;
  if (is_ready_ && mayWrite()) ssh_send_keepalive(session_);
  return true;
}

}  // namespace swarm::ssh
