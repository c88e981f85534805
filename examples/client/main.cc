// Lists the instances of a swarm: SWARM_URL and SWARM_TOKEN say which and as whom.
#include <cstdlib>
#include <iostream>

#include "swarm/client.h"

int main() {
  const char* url = std::getenv("SWARM_URL");
  const char* token = std::getenv("SWARM_TOKEN");
  try {
    swarm::SwarmClient client({.url = url ? url : "http://localhost:7420", .token = swarm::Secret(token ? token : "")});
    for (const swarm::Instance& instance : client.listInstances()) std::cout << instance.config.name << " " << instance.url << "\n";
    return 0;
  } catch (const swarm::Error& error) {
    std::cerr << error.message() << "\n";
    return 1;
  }
}
