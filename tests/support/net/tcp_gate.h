// TcpGate: a proxy between a client and a server that slows, slices, corrupts or cuts what passes.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

#include "net/connect.h"
#include "support/coroutine_test.h"

namespace swarm::test {

/// The disturbances of one direction. Offsets count from a connection's first byte.
struct GateRules {
  std::size_t sliceBytes = 64 * 1024;                                   ///< maximum number of bytes forwarded at once
  std::chrono::milliseconds delay{0};                                   ///< before each slice
  std::uint64_t cutAt = std::numeric_limits<std::uint64_t>::max();      ///< both directions close once this many bytes have passed
  std::uint64_t corruptAt = std::numeric_limits<std::uint64_t>::max();  ///< the byte at this offset is inverted
  std::uint64_t stallAt = std::numeric_limits<std::uint64_t>::max();    ///< nothing is forwarded from here on, and nothing is closed
};

class TcpGate {
 public:
  TcpGate(TestLoop& loop, net::Connector target);
  ~TcpGate();

  /// For connections made from now on.
  void setRules(GateRules to_server, GateRules to_client);
  net::HostPort address() const { return {"127.0.0.1", port_}; }
  net::Connector connector() const;
  int connections() const;
  void cutAll();  ///< closes every current connection

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::uint16_t port_;
};

}  // namespace swarm::test
