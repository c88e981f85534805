// Lists the instances of a swarm: SWARM_URL and SWARM_TOKEN say which and as whom. With a name, that instance moves to Fly.io first.
#include <cstdlib>
#include <iostream>

#include "swarm/client.h"

int main(int argc, char** argv) {
  const char* url = std::getenv("SWARM_URL");
  const char* token = std::getenv("SWARM_TOKEN");
  try {
    swarm::SwarmClient client({.url = url ? url : "http://swarm.localhost:7420", .token = swarm::Secret(token ? token : "")});
    if (argc > 1) {
      const swarm::MigrationPlan plan = client.planMigration(argv[1], {.targetProvider = swarm::ProviderType::flyio});
      for (const std::string& problem : plan.problems) std::cerr << problem << "\n";
      if (!plan.fits) return 1;
      std::cout << plan.bytes << " bytes move; VS Code pauses for about " << plan.expectedPauseSeconds << " s\n";
      client.switchProvider(argv[1], swarm::ProviderType::flyio);
    }
    for (const swarm::Instance& instance : client.listInstances()) std::cout << instance.config.name << " " << instance.url << "\n";
    return 0;
  } catch (const swarm::Error& error) {
    std::cerr << error.message() << "\n";
    return 1;
  }
}
