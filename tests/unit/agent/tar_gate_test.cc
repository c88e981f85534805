// What of an untrusted archive reaches tar.
#include "agent/tar_gate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "fuzz/tar_gate/checks.h"

namespace swarm::agent {
namespace {

TEST(TarGateTest, takesPiecesOfAnySizeAndNeverMoreThanItWasGiven) {
  std::string archive = tarMember(kArchiveManifest, R"({"format":1})", 0) + tarMember("s/a", std::string(700, 'a'), 0) +
                        tarMember("s/b", "", 0) + tarMember(kArchiveNotes, "{}", 0) + std::string(10 * kTarBlock, '\0');
  for (std::size_t size : {1UL, 100UL, 512UL, 5'000UL}) {
    TarGate gate;
    gate.setStorages({"/s"});
    std::string out;
    for (std::size_t at = 0; at < archive.size(); at += size) gate.feed(std::string_view(archive).substr(at, size), out);
    EXPECT_TRUE(gate.ended());
    EXPECT_EQ(gate.files(), 2);
    EXPECT_EQ(gate.bytes(), 700);
    EXPECT_EQ(out, tarMember("s/a", std::string(700, 'a'), 0) + tarMember("s/b", "", 0) + std::string(2 * kTarBlock, '\0'));
  }
}

TEST(TarGateTest, damagedHeadersAreRefusedAndNothingElseHappens) {
  std::string archive = tarMember(kArchiveManifest, "{}", 0) + tarMember("s/a", "a", 0) + std::string(2 * kTarBlock, '\0');
  for (std::size_t at = 0; at < kTarBlock; ++at) {
    std::string damaged = archive;
    damaged[2 * kTarBlock + at] = static_cast<char>(damaged[2 * kTarBlock + at] ^ 1);
    TarGate gate;
    gate.setStorages({"/s"});
    std::string out;
    EXPECT_THROW(gate.feed(damaged, out), Error) << at;
  }
}

std::vector<std::string> corpus() {
  std::vector<std::string> archives;
  for (const auto& entry : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    archives.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return archives;
}

TEST(TarGateTest, theFuzzCorpusKeepsItsInvariants) {
  EXPECT_GE(corpus().size(), 13U);
  for (const std::string& archive : corpus()) fuzzTarGate(archive);
}

TEST(TarGateTest, damagedArchivesWithRightSumsLetNothingOut) {
  std::mt19937 random(1);
  for (const std::string& archive : corpus()) {
    for (int attempt = 0; attempt < 300; ++attempt) {
      std::string damaged = archive;
      for (unsigned change = random() % 4 + 1; change > 0; --change) damaged[random() % damaged.size()] = "\0/.s017xL\xff"[random() % 10];
      fuzzTarGate(damaged);
    }
  }
}

}  // namespace
}  // namespace swarm::agent
