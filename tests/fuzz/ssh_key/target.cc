// libFuzzer's entry to fuzzSshKey().
#include <cstddef>
#include <cstdint>

#include "fuzz/ssh_key/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::agent::fuzzSshKey({reinterpret_cast<const char*>(data), size});
  return 0;
}
