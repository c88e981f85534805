// Sends a minimal ClientHello and checks whether a TLS record returns.
#include "gateway/proxy/tls_probe.h"

#include <array>

#include "async/attempt.h"

namespace swarm::gateway {
namespace {

constexpr std::chrono::seconds kProbeTime{2};

/// A ClientHello of TLS 1.2 without extensions: a server responds with its own hello or with an alert, both of which are TLS records.
std::string clientHello() {
  constexpr std::string_view ciphers("\xc0\x2f\xc0\x2b\x00\x9c\x00\x2f\x13\x01", 10);
  constexpr std::string_view record("\x16\x03\x01\x00\x35", 5);
  constexpr std::string_view hello("\x01\x00\x00\x31\x03\x03", 6);
  const std::string random(32, 's');
  return std::string(record).append(hello).append(random).append("\0\0\x0a", 3).append(ciphers).append("\x01\0", 2);
}

bool isTlsRecord(std::string_view bytes) {
  constexpr char alert = 0x15, handshake = 0x16, major = 0x03;
  return bytes.size() == 2 && (bytes[0] == alert || bytes[0] == handshake) && bytes[1] == major;
}

}  // namespace

async::awaitable<bool> speaksTls(UpstreamConnector& connector, std::shared_ptr<const InstanceRoute> route, std::uint16_t port) {
  const auto deadline = Deadline::after(kProbeTime);
  const auto connected = co_await async::attempt(connector.connect(std::move(route), port, deadline));
  if (!connected) co_return false;
  net::Stream& stream = **connected;
  stream.setDeadline(deadline.time());
  std::array<char, 2> response{};
  std::size_t have = 0;
  if ((co_await stream.writeAll(clientHello())).error) co_return false;
  while (have < response.size()) {
    const auto got = co_await stream.readSome(net::asio::buffer(response.data() + have, response.size() - have));
    if (got.error) co_return false;
    have += got.bytes;
  }
  co_return isTlsRecord({response.data(), have});
}

}  // namespace swarm::gateway
