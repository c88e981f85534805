#include "auth/client_address.h"

#include "base/error.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "net/ip_address.h"

namespace swarm {
namespace {

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
    const auto address = net::parseIpAddress(std::string_view(text).substr(0, slash));
    int bits = address && address->is_v4() ? 32 : 128;
    const int max_bits = bits;
    if (address && slash != std::string::npos) bits = parseNumber<int>(std::string_view(text).substr(slash + 1)).value_or(-1);
    if (!address || bits < 0 || bits > max_bits)
      throw Error(ErrorCode::InvalidArgument,
                  format("The trusted proxy \"{}\" is not an address or network; expected one like 10.0.0.7 or 172.16.0.0/12.", text));
    networks_.emplace_back(*address, bits);
  }
}

bool TrustedProxies::contains(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = net::parseIpAddress(text);
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
      const auto address = net::parseIpAddress(comma == std::string_view::npos ? list : list.substr(comma + 1));
      list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
      if (!address) return client;  // a trusted proxy sent a malformed address: the last valid one counts
      client = address->to_string();
      if (!contains(client)) return client;
    }
  }
  return client;
}

}  // namespace swarm
