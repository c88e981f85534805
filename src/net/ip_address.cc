#include "net/ip_address.h"

#include <algorithm>

#include "base/text/number.h"
#include "net/http/http.h"

namespace swarm::net {

namespace ip = boost::asio::ip;

namespace {

template <typename Bytes>
bool sharesPrefix(const Bytes& a, const Bytes& b, int bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<unsigned char>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    if ((a[i] & mask) != (b[i] & mask)) return false;
  }
  return true;
}

/// "2001:db8::/32"
template <typename Address>
std::string firstBytes(const Address& address, std::size_t count) {
  auto bytes = address.to_bytes();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(count), bytes.end(), 0);
  return Address(bytes).to_string() + "/" + std::to_string(8 * count);
}

}  // namespace

std::optional<ip::address> parseIpAddress(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    text = text.substr(0, colon);
  }
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

bool IpNetwork::contains(const ip::address& other) const {
  if (address.is_v4() != other.is_v4()) return false;
  return address.is_v4() ? sharesPrefix(address.to_v4().to_bytes(), other.to_v4().to_bytes(), bits)
                         : sharesPrefix(address.to_v6().to_bytes(), other.to_v6().to_bytes(), bits);
}

std::optional<IpNetwork> parseIpNetwork(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parseIpAddress(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int most = address->is_v4() ? 32 : 128;
  const int bits = slash == std::string_view::npos ? most : parseNumber<int>(text.substr(slash + 1)).value_or(-1);
  if (bits < 0 || bits > most) return std::nullopt;
  return IpNetwork{*address, bits};
}

std::string addressGroup(std::string_view text) {
  const auto address = parseIpAddress(text);
  if (!address || address->is_v4()) return address ? address->to_string() : std::string(text);
  return firstBytes(address->to_v6(), 8);
}

std::string networkGroup(std::string_view text) {
  const auto address = parseIpAddress(text);
  if (!address) return std::string(text);
  return address->is_v4() ? firstBytes(address->to_v4(), 2) : firstBytes(address->to_v6(), 4);
}

}  // namespace swarm::net
