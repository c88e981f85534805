// Standard programs, for independent checks of results.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace swarm::agent {

inline std::string shell(const std::string& script) {
  FILE* pipe = ::popen(("exec 2>&1; " + script).c_str(), "r");
  std::string out;
  std::array<char, 4096> piece{};
  while (auto count = ::fread(piece.data(), 1, piece.size(), pipe)) out.append(piece.data(), count);
  EXPECT_EQ(::pclose(pipe), 0) << script << "\n" << out;
  return out;
}

}  // namespace swarm::agent
