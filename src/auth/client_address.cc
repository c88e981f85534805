#include "auth/client_address.h"

#include <algorithm>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

TrustedProxies::TrustedProxies(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const auto network = net::parseIpNetwork(text);
    if (!network)
      throw Error(ErrorCode::InvalidArgument,
                  format("The trusted proxy \"{}\" is not an address or network; expected one like 10.0.0.7 or 172.16.0.0/12.", text));
    networks_.push_back(*network);
  }
}

bool TrustedProxies::contains(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = net::parseIpAddress(text);
  return address && std::ranges::any_of(networks_, [&](const net::IpNetwork& network) { return network.contains(*address); });
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
