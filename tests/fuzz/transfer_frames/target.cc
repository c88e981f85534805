// libFuzzer's entry to fuzzTransferFrames().
#include <cstddef>
#include <cstdint>

#include "fuzz/transfer_frames/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::transfer::fuzzTransferFrames({reinterpret_cast<const char*>(data), size});
  return 0;
}
