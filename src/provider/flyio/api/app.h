// An app of Fly, its addresses, and what a token may do with apps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace swarm::flyio {

struct App {
  std::string name;
  std::int64_t machineCount = 0;
  std::int64_t volumeCount = 0;
};

enum class IpKind { SharedV4, V6, PrivateV6, Other };
struct IpAddress {
  std::string ip;
  bool shared = false;
  IpKind kind() const;
};

struct TokenInfo {
  std::string organization;  ///< slug
  std::string user;
  std::vector<std::string> apps;  ///< not empty: the token is limited to these
};

}  // namespace swarm::flyio
