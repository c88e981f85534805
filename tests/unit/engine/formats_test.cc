// The Engine's stream formats and the archive writer.
#include <gtest/gtest.h>

#include "engine/format/streams.h"
#include "engine/format/tar.h"

namespace swarm::engine {
namespace {

std::string frame(int stream, const std::string& data) {
  std::string bytes{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(data.size() >> shift & 0xff);
  return bytes + data;
}

TEST(EngineFrames, stdoutAndStderrAreSeparatedHoweverTheBytesArrive) {
  std::string all = frame(1, "out") + frame(2, "err") + frame(1, "") + frame(1, std::string("\0\x01\x02", 3));
  for (std::size_t size = 1; size <= all.size(); ++size) {
    FrameReader reader;
    std::string out, err;
    for (std::size_t at = 0; at < all.size(); at += size) {
      reader.add(std::string_view(all).substr(at, size));
      while (auto got = reader.next()) (got->stream == 2 ? err : out) += got->data;
    }
    EXPECT_EQ(out, std::string("out\0\x01\x02", 6));
    EXPECT_EQ(err, "err");
    EXPECT_FALSE(reader.broken());
  }
}

TEST(EngineFrames, somethingElseIsBroken) {
  FrameReader reader;
  reader.add("HTTP/1.1 200 OK");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.broken());
}

TEST(EnginePull, progressIsSummedAndAnErrorIsKept) {
  struct {
    std::string text;
    std::int64_t done = 0, total = 0;
  } seen;
  auto report = [&](std::string text, std::int64_t done, std::int64_t total) { seen = {std::move(text), done, total}; };
  PullProgress pull;
  pull.read(R"({"status":"Pulling fs layer","id":"a"})", report);
  pull.read(R"({"status":"Already exists","id":"b"})", report);
  pull.read(R"({"status":"Downloading","id":"a","progressDetail":{"current":5,"total":20}})", report);
  EXPECT_EQ(seen.text, "layer 1 of 2");
  EXPECT_EQ(seen.done, 5);
  EXPECT_EQ(seen.total, 20);
  pull.read("no json", report);
  EXPECT_EQ(pull.error(), "");
  pull.read(R"({"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"})", report);
  EXPECT_EQ(pull.error(), "manifest unknown");
}

TEST(EngineTar, blocksAreWholeAndTheChecksumFits) {
  TarWriter tar;
  tar.addFile("etc/file", 0400, "hello");
  std::string bytes = std::move(tar).finish();
  ASSERT_EQ(bytes.size(), 4u * 512);
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? 0u : static_cast<unsigned char>(bytes[i]);
  EXPECT_EQ(std::strtoul(bytes.substr(148, 6).c_str(), nullptr, 8), sum);
  EXPECT_EQ(bytes.substr(100, 7), "0000400");
  EXPECT_EQ(bytes.substr(512, 5), "hello");
}

}  // namespace
}  // namespace swarm::engine
