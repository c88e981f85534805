// Replays the committed fuzz corpora through the fuzz targets' checks, so that every build runs them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/net/fuzz_net.h"

namespace swarm::test {
namespace {

int replay(const char* target, void (*check)(std::string_view)) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SWARM_FUZZ_FOLDER) / target / "corpus")) {
    SCOPED_TRACE(entry.path().native());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    check(input);
    ++files;
  }
  return files;
}

TEST(FuzzCorpus, headsKeepTheirInvariants) { EXPECT_GE(replay("http_head", fuzzHttpHead), 16); }
TEST(FuzzCorpus, chunkedBodiesKeepTheirInvariants) { EXPECT_GE(replay("chunked_body", fuzzChunkedBody), 9); }

}  // namespace
}  // namespace swarm::test
