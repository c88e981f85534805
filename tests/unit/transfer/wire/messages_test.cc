// The wire format, the pure parts, and the fuzz corpus.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/error.h"
#include "fuzz/transfer_frames/checks.h"
#include "transfer/hash/hash_cache.h"
#include "transfer/tree/files.h"

namespace swarm::transfer {
namespace {

TEST(Messages, numbersKeepTheirValue) {
  for (const std::uint64_t value : {0ULL, 1ULL, 127ULL, 128ULL, 16384ULL, 1ULL << 62, 1ULL << 63, ~0ULL}) {
    Encoder out;
    out.number(value).signedNumber(static_cast<std::int64_t>(value)).signedNumber(-static_cast<std::int64_t>(value / 2));
    Decoder in(out.text());
    EXPECT_EQ(in.number(), value);
    EXPECT_EQ(in.signedNumber(), static_cast<std::int64_t>(value));
    EXPECT_EQ(in.signedNumber(), -static_cast<std::int64_t>(value / 2));
    in.end();
  }
}

TEST(Messages, everyPrefixOfAMessageIsRefused) {
  Listing listing;
  listing.unit = 300;
  listing.path = "some/where";
  listing.attributes = {{"user.a", "1"}};
  Entry entry;
  entry.name = "file";
  entry.facts = {04755, 1000, 1000, 1'234'567, -3, 999'999'999};
  entry.attributes = {{"user.b", std::string("\0x", 2)}};
  entry.group = 5;
  entry.content = Hash{1, 2};
  listing.entries.push_back(entry);
  const std::string whole = encode(listing);
  EXPECT_EQ(encode(decode<Listing>(whole)), whole);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(decode<Listing>(std::string_view(whole).substr(0, length)), Error) << length;
  }
  EXPECT_THROW(decode<Listing>(whole + "x"), Error);
}

TEST(Messages, randomBytesNeverDoMoreThanFail) {
  std::mt19937 random(1);
  for (int attempt = 0; attempt < 2000; ++attempt) {
    std::string input(random() % 200, '\0');
    for (char& byte : input) byte = static_cast<char>(random() % (attempt % 2 ? 256 : 8));
    fuzzTransferFrames(input);
  }
}

TEST(Messages, theFuzzCorpusKeepsItsInvariants) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SWARM_FUZZ_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    fuzzTransferFrames(std::string{std::istreambuf_iterator<char>(file), {}});
    ++files;
  }
  EXPECT_GE(files, 8);
}

TEST(Messages, pathsAreMadeReadable) {
  EXPECT_EQ(readable("plain/ünï"), "plain/ünï");
  EXPECT_EQ(readable("new\nline"), "new\\x0aline");
  EXPECT_EQ(readable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(readable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_LE(readable(std::string(100'000, 'x')).size(), 1010);
  EXPECT_EQ(describePath("/home/dev", "a/b", "c"), "/home/dev/a/b/c");
  EXPECT_EQ(describePath("/", "", "c"), "/c");
}

TEST(Compression, isOffUnlessTheConnectionIsWhatIsWaitedFor) {
  using std::chrono::milliseconds;
  CompressionChoice choice;
  for (int pack = 0; pack < 50; ++pack) choice.observe(milliseconds(0), milliseconds(10));
  EXPECT_EQ(choice.level(), 0);
  for (int pack = 0; pack < 50; ++pack) choice.observe(milliseconds(9), milliseconds(10));
  EXPECT_EQ(choice.level(), 3);
  choice.result(1000, 300);
  EXPECT_EQ(choice.level(), 3);
  // Incompressible data is sent without attempts for a while, and then tried again.
  choice.result(1000, 1000);
  int tries = 0;
  for (int pack = 0; pack < 20; ++pack) {
    if (choice.level() > 0) {
      ++tries;
      choice.result(1000, 1000);
    }
  }
  EXPECT_GE(tries, 1);
  EXPECT_LE(tries, 4);
  for (int pack = 0; pack < 50; ++pack) choice.observe(milliseconds(0), milliseconds(10));
  EXPECT_EQ(choice.level(), 0);
}

struct stat statusOf(ino_t inode, std::int64_t size, time_t time) {
  struct stat status{};
  status.st_ino = inode;
  status.st_size = size;
  status.st_mtim = {time, 1};
  status.st_ctim = {time, 2};
  return status;
}

TEST(HashCacheRecords, countOnlyWhileTheFileIsWhatItWas) {
  HashCache cache;
  const FileHashes hashes{Hash{1, 2}, {Hash{3, 4}, Hash{5, 6}}};
  cache.store(statusOf(1, 100, 7), hashes);
  ASSERT_TRUE(cache.find(statusOf(1, 100, 7)));
  EXPECT_EQ(cache.find(statusOf(1, 100, 7))->chunks, hashes.chunks);
  EXPECT_FALSE(cache.find(statusOf(2, 100, 7)));
  EXPECT_FALSE(cache.find(statusOf(1, 101, 7)));
  // Once the change was seen, the old record is gone.
  EXPECT_FALSE(cache.find(statusOf(1, 100, 7)));
  EXPECT_EQ(cache.bytes(), 0);
}

TEST(HashCacheRecords, areBoundedAndOldOnesMakeRoom) {
  HashCache cache(100'000);
  const FileHashes hashes{Hash{1, 2}, {Hash{3, 4}}};
  cache.beginPass();
  for (ino_t file = 0; file < 5000; ++file) cache.store(statusOf(file, 1, 1), hashes);
  EXPECT_LE(cache.bytes(), 100'000);
  EXPECT_TRUE(cache.find(statusOf(0, 1, 1)));
  cache.beginPass();
  cache.beginPass();
  cache.beginPass();
  cache.store(statusOf(9000, 1, 1), hashes);
  EXPECT_TRUE(cache.find(statusOf(9000, 1, 1)));
}

}  // namespace
}  // namespace swarm::transfer
