// libFuzzer's entry to fuzzOidc().
#include <cstddef>
#include <cstdint>

#include "fuzz/oidc/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::fuzzOidc({reinterpret_cast<const char*>(data), size});
  return 0;
}
