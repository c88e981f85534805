// libFuzzer's entry to fuzzHttpHead().
#include <cstddef>
#include <cstdint>

#include "support/net/fuzz_net.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::test::fuzzHttpHead({reinterpret_cast<const char*>(data), size});
  return 0;
}
