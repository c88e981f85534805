// fly-emulator: Fly.io's Machines API on this machine. emulator/README.md documents its features and limits.
#include <cstdio>

#include "base/error.h"
#include "emulator/program/options.h"

int main(int argc, char** argv) {
  try {
    auto options = swarm::emulator::parseOptions({argv + 1, argv + argc});
    if (options.help) return std::fputs(swarm::emulator::helpText().c_str(), stdout) < 0;
    if (options.version) return std::puts("fly-emulator " SWARM_VERSION) < 0;
    return swarm::emulator::runProcess(std::move(options));
  } catch (const swarm::Error& error) {
    std::fprintf(stderr, "fly-emulator: %s\n", error.what());
    return error.code() == swarm::ErrorCode::InvalidArgument ? 2 : 1;
  } catch (...) {
    std::fprintf(stderr, "fly-emulator: %s\n", swarm::describeCurrentException().c_str());
    return 1;
  }
}
