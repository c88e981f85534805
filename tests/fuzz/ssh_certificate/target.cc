// libFuzzer's entry to fuzzSshCertificate().
#include <cstddef>
#include <cstdint>

#include "fuzz/ssh_certificate/checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  swarm::fuzzSshCertificate({reinterpret_cast<const char*>(data), size});
  return 0;
}
