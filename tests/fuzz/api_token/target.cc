// libFuzzer's entry to fuzzApiToken().
#include <cstddef>
#include <cstdint>

#include "fuzz/api_token/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::fuzzApiToken({reinterpret_cast<const char*>(data), size});
  return 0;
}
