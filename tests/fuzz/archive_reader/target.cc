// libFuzzer's entry to fuzzArchiveReader().
#include <cstddef>
#include <cstdint>

#include "fuzz/archive_reader/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::agent::fuzzArchiveReader({reinterpret_cast<const char*>(data), size});
  return 0;
}
