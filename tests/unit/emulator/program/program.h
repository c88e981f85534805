// Runs fly-emulator as a child process of a test.
#pragma once

#include "support/child_program.h"

namespace swarm::emulator {

using test::numberAfter;

class Program : public test::ChildProgram {
 public:
  explicit Program(std::vector<std::string> arguments) : ChildProgram(withProgram(std::move(arguments))) {}

 private:
  static std::vector<std::string> withProgram(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SWARM_TEST_FLY_EMULATOR);
    return arguments;
  }
};

}  // namespace swarm::emulator
