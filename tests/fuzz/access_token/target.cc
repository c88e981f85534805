// libFuzzer's entry to fuzzAccessToken().
#include <cstddef>
#include <cstdint>

#include "fuzz/access_token/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::fuzzAccessToken({reinterpret_cast<const char*>(data), size});
  return 0;
}
