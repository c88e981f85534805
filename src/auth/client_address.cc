#include "auth/client_address.h"

#include <charconv>

#include "base/error.h"
#include "base/format.h"

namespace swarm {
namespace {

namespace ip = boost::asio::ip;

/// "::ffff:10.0.0.1" is the IPv4 address in it: dual-stack listeners report peers so.
ip::address plain(ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

/// Of "10.0.0.1", "10.0.0.1:4711", "[::1]:4711" and "::1".
std::optional<ip::address> parseAddress(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
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
  return plain(address);
}

template <typename Bytes>
bool sharesPrefix(const Bytes& a, const Bytes& b, int bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<unsigned char>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    if ((a[i] & mask) != (b[i] & mask)) return false;
  }
  return true;
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const auto slash = text.find('/');
    const auto address = parseAddress(std::string_view(text).substr(0, slash));
    int bits = address && address->is_v4() ? 32 : 128;
    const int most = bits;
    if (address && slash != std::string::npos) {
      const auto parsed = std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
      if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) bits = -1;
    }
    if (!address || bits < 0 || bits > most)
      throw Error(ErrorCode::InvalidArgument,
                  format("The trusted proxy \"{}\" is not an address or network; expected one like 10.0.0.7 or 172.16.0.0/12.", text));
    networks_.emplace_back(*address, bits);
  }
}

bool TrustedProxies::contains(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = parseAddress(text);
  if (!address) return false;
  for (const auto& [network, bits] : networks_) {
    if (network.is_v4() != address->is_v4()) continue;
    if (network.is_v4() ? sharesPrefix(network.to_v4().to_bytes(), address->to_v4().to_bytes(), bits)
                        : sharesPrefix(network.to_v6().to_bytes(), address->to_v6().to_bytes(), bits))
      return true;
  }
  return false;
}

std::string TrustedProxies::clientAddress(std::string_view peer, const net::HeaderViews& headers) const {
  if (!contains(peer)) return std::string(peer);
  std::string client(peer);
  for (auto field = headers.all().rbegin(); field != headers.all().rend(); ++field) {
    if (!net::equalsIgnoreCase(field->name, "X-Forwarded-For")) continue;
    for (auto list = field->value; !list.empty();) {
      const auto comma = list.rfind(',');
      const auto address = parseAddress(comma == std::string_view::npos ? list : list.substr(comma + 1));
      list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
      if (!address) return client;  // a proxy of ours wrote nonsense: the last address that made sense stands
      client = address->to_string();
      if (!contains(client)) return client;
    }
  }
  return client;
}

std::string throttleKeyOf(std::string_view text) {
  const auto address = parseAddress(text);
  if (!address || address->is_v4()) return address ? address->to_string() : std::string(text);
  auto bytes = address->to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace swarm
