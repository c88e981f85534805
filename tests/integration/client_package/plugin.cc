// SwarmClient inside a user's shared library, which exports one function and none of our names.
#include <string>

#include "swarm/client.h"

extern "C" __attribute__((visibility("default"))) int countInstances(const char* url, char* reason, unsigned long size) {
  try {
    swarm::SwarmClient client({.url = url});
    return static_cast<int>(client.listInstances().size());
  } catch (const swarm::Error& error) {
    reason[error.message().copy(reason, size - 1)] = '\0';
    return -1;
  }
}
