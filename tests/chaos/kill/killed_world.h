// KilledWorld: the provider's side of a chaos test: what it holds, whatever the server believes.
#pragma once

#include <memory>
#include <ostream>
#include <string>

namespace swarm::test {

struct ServerSettings;

/// How many things exist. An enclosure surrounds an instance: Docker's network, Fly's app.
struct Holdings {
  std::size_t machines = 0;
  std::size_t enclosures = 0;
  std::size_t volumes = 0;
  std::size_t addresses = 0;
  bool operator==(const Holdings&) const = default;
};
inline void PrintTo(const Holdings& have, std::ostream* out) {
  *out << have.machines << " machines, " << have.enclosures << " enclosures, " << have.volumes << " volumes, " << have.addresses
       << " addresses";
}

class KilledWorld {
 public:
  virtual ~KilledWorld() = default;
  virtual void prepare(ServerSettings& settings) = 0;
  virtual Holdings holdings(const std::string& swarm_id) = 0;
  /// What there must be for so many instances, and so many volumes in all.
  virtual Holdings holdingsOf(std::size_t instances, std::size_t volumes) const = 0;
  virtual void removeAll(const std::string& swarm_id) = 0;
};

std::unique_ptr<KilledWorld> makeKilledDocker();
/// A fly-emulator process with simulated Machines; it outlives the servers.
std::unique_ptr<KilledWorld> makeKilledFly();

}  // namespace swarm::test
