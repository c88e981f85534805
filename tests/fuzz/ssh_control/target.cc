// libFuzzer's entry to fuzzSshControl().
#include <cstddef>
#include <cstdint>

#include "fuzz/ssh_control/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::ssh::fuzzSshControl({reinterpret_cast<const char*>(data), size});
  return 0;
}
