// fly_test_image: makes the conformance suite's image for Machines at the Engine, and prints its name; images/workspace/push sends it on.
#include <cstdio>

#include "conformance/provider/fly/fly_image.h"

int main() {
  try {
    swarm::testing::CoroutineRunner runner;
    std::puts(swarm::testing::ensureFlyImage(runner).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fly_test_image: %s\n", error.what());
    return 1;
  }
}
