// Peers that violate the protocol: nothing outside of the storage is affected, and the session ends with an error and bounded memory.
#include <zstd.h>

#include "transfer/tree/content.h"
#include "transfer/wire/frame_stream.h"
#include "unit/transfer/fixture.h"

namespace swarm::transfer {
namespace {

/// Connects to one session as the server would, and sends what a test specifies.
class Peer {
 public:
  /// `understands`: the capability of the agent at the other end; the first release sends none.
  Peer(Move& move, Role role, std::uint64_t understands = 1) : move_(move) {
    auto [near_end, far_end] = net::makePipe(move.loop().executor(), 4 * 1024 * 1024);
    stream_ = std::move(near_end);
    reader_ = std::make_unique<FrameReader>(*stream_);
    move.loop().spawn(runSession(std::move(far_end), {role, &cache_, role == Role::Source ? move.sourceRoot() : move.targetRoot()}));
    send(Kind::Hello, encode(Hello{kProtocolVersion, "op-test", role == Role::Source, move.scope}));
    const Arrived greeting = next();
    EXPECT_EQ(greeting.kind, Kind::Result);
    EXPECT_EQ(decodeCapability(greeting.payload), kCapability);
    if (understands > 1) {
      send(Kind::Other, encodeCapability(understands));
      EXPECT_EQ(next().kind, Kind::Result);
    }
    send(Kind::Round, encode(RoundCommand{RoundKind::Live}));
  }

  void send(Kind kind, std::string payload, std::string body = {}) {
    std::vector<Frame> frames(1);
    frames[0] = {kind, std::move(payload), std::move(body)};
    move_.loop().run(writeFrames(*stream_, frames));
  }
  void sendRaw(std::string_view bytes) { move_.loop().run(stream_->writeAll(bytes)); }

  /// The next frame other than progress; Bye for the end of the connection.
  Arrived next() {
    for (;;) {
      auto frame = move_.loop().run(reader_->next());
      if (!frame) return {Kind::Bye, {}};
      if (frame->kind != Kind::Progress) return std::move(*frame);
    }
  }
  /// Skips all other frames; the message of the failure, or "ended" when the connection just ends.
  std::string failure() {
    for (;;) {
      const Arrived frame = next();
      if (frame.kind == Kind::Bye) return "ended";
      if (frame.kind == Kind::Failed) return decode<Failure>(frame.payload).message;
    }
  }

 private:
  Move& move_;
  HashCache cache_;
  net::StreamPtr stream_;
  std::unique_ptr<FrameReader> reader_;
};

Facts facts() { return {0644, 0, 0, 100, 1, 1}; }

Listing listingOf(std::vector<Entry> entries, std::string path = {}) {
  Listing listing;
  listing.unit = 1;
  listing.path = std::move(path);
  listing.facts = facts();
  listing.facts.mode = 0755;
  listing.entries = std::move(entries);
  return listing;
}

Entry fileNamed(std::string name) {
  Entry entry;
  entry.name = std::move(name);
  entry.facts = facts();
  return entry;
}

TEST(BrokenPeer, namesThatLeadOutsideAreRefused) {
  for (const std::string& name : std::vector<std::string>{std::string(".."), std::string("."), std::string(), std::string("a/b"),
                                                          std::string("../escaped"), std::string("/etc"), std::string("nul\0x", 5)}) {
    SCOPED_TRACE(name);
    Move move;
    Peer peer(move, Role::Target);
    peer.send(Kind::Listing, encode(listingOf({fileNamed(name)})));
    EXPECT_TRUE(peer.failure().contains("violated the protocol"));
    EXPECT_TRUE(fs::is_empty(move.target()));
    EXPECT_FALSE(fs::exists(move.targetRoot() / "escaped"));
  }
}

TEST(BrokenPeer, pathsThatLeadOutsideAreRefused) {
  for (const std::string& path : std::vector<std::string>{"..", "/", "/tmp", "a/../..", "a//b", "./a", "lost+found", "excluded/x"}) {
    SCOPED_TRACE(path);
    Move move;
    move.scope.excluded = {"/data/excluded"};
    Peer peer(move, Role::Target);
    peer.send(Kind::Listing, encode(listingOf({fileNamed("x")}, path)));
    EXPECT_TRUE(peer.failure().contains("violated the protocol"));
    EXPECT_TRUE(fs::is_empty(move.target()));
  }
}

TEST(BrokenPeer, aSymbolicLinkAtTheTargetIsNotFollowed) {
  Move move;
  const test::TempDir outside;
  fs::create_directory_symlink(outside.path(), move.target() / "out");
  Peer peer(move, Role::Target);
  peer.send(Kind::Listing, encode(listingOf({fileNamed("x")}, "out")));
  EXPECT_TRUE(peer.failure().contains("out"));
  EXPECT_TRUE(fs::is_empty(outside.path()));
}

TEST(BrokenPeer, whatIsLeftOutCannotBeNamed) {
  Move move;
  move.scope.excluded = {"/data/excluded"};
  fs::create_directories(move.target() / "excluded");
  Peer peer(move, Role::Target);
  peer.send(Kind::Listing, encode(listingOf({fileNamed("excluded")})));
  EXPECT_TRUE(peer.failure().contains("violated the protocol"));
  EXPECT_TRUE(fs::is_directory(move.target() / "excluded"));
}

TEST(OlderAgent, receivesRequestsInItsOwnForm) {
  for (const std::uint64_t understands : {1, 2}) {
    Move move;
    writeFile(move.target() / "file", std::string(5 * kChunkBytes, '\0') + "end");
    Peer peer(move, Role::Target, understands);
    Entry entry = fileNamed("file");
    entry.facts.size = 6 * kChunkBytes;
    peer.send(Kind::Listing, encode(listingOf({entry})));
    const Arrived frame = peer.next();
    ASSERT_EQ(frame.kind, understands == 1 ? Kind::Wants : Kind::WantsRuns);
    const Wants wants = understands == 1 ? decodePlainWants(frame.payload) : decode<Wants>(frame.payload);
    ASSERT_EQ(wants.wants.size(), 1);
    EXPECT_EQ(wants.wants[0].signature.chunks(), 6);
    EXPECT_EQ(wants.wants[0].signature.runs()[0], (HashRun{hashOfHole(), 5}));
    EXPECT_EQ(frame.payload.size() > 6 * 16, understands == 1);
  }
}

TEST(OlderAgent, isNotShownAUsersLostAndFound) {
  for (const std::uint64_t understands : {1, 2}) {
    Move move;
    fs::create_directories(move.source() / "lost+found");
    Peer peer(move, Role::Source, understands);
    const auto listing = decode<Listing>(peer.next().payload);
    EXPECT_EQ(listing.entries.size(), understands == 1 ? 0 : 1);
  }
}

PackHead packOf(std::string_view raw, std::int64_t offset = 0) {
  PackHead head;
  head.sequence = 1;
  head.rawLength = raw.size();
  head.hash = hashBytes(raw);
  head.segments = {{1, 0, SegmentKind::Data, offset, static_cast<std::int64_t>(raw.size()), {}}};
  return head;
}

TEST(BrokenPeer, damagedUnsolicitedOrTooLargeContentIsRefused) {
  const auto attempt = [](const std::function<void(PackHead&, std::string&)>& spoil) {
    Move move;
    Peer peer(move, Role::Target);
    peer.send(Kind::Listing, encode(listingOf({fileNamed("file")})));
    EXPECT_EQ(peer.next().kind, Kind::Wants);
    std::string body(1000, 'x');
    PackHead head = packOf(body);
    spoil(head, body);
    peer.send(Kind::Pack, encode(head), body);
    return peer.failure();
  };
  EXPECT_TRUE(attempt([](PackHead&, std::string& body) { body[5] ^= 1; }).contains("does not match its hash"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.segments[0].unit = 7; }).contains("not requested"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.segments[0].index = 1; }).contains("not requested"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.sequence = 2; }).contains("out of order"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.segments[0].length = 999; }).contains("length"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.segments[0].length = 2000; }).contains("longer"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.segments[0].offset = INT64_MAX - 10; }).contains("end"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.rawLength = kMaxPackRaw + 1; }).contains("too large"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string&) { head.compressed = true; }).contains("decompressed"));
  EXPECT_TRUE(attempt([](PackHead& head, std::string& body) {
                // A bomb: a small body that decompresses to far more than the pack's length.
                const std::string zeros(50'000'000, '\0');
                body.resize(::ZSTD_compressBound(zeros.size()));
                body.resize(::ZSTD_compress(body.data(), body.size(), zeros.data(), zeros.size(), 3));
                head.compressed = true;
              }).contains("decompressed"));
}

TEST(BrokenPeer, aRoundThatEndsEarlyIsRefused) {
  Move move;
  Peer peer(move, Role::Target);
  peer.send(Kind::Listing, encode(listingOf({fileNamed("file")})));
  EXPECT_EQ(peer.next().kind, Kind::Wants);
  peer.send(Kind::RoundEnd, {});
  EXPECT_TRUE(peer.failure().contains("before all content"));
}

TEST(BrokenPeer, partsThatDoNotFitAreRefused) {
  Move move;
  Peer peer(move, Role::Target);
  Listing first = listingOf({fileNamed("m")});
  first.last = false;
  peer.send(Kind::Listing, encode(first));
  EXPECT_EQ(peer.next().kind, Kind::Wants);
  Listing second = listingOf({fileNamed("a")});
  second.unit = 2;
  second.first = false;
  peer.send(Kind::Listing, encode(second));
  EXPECT_TRUE(peer.failure().contains("out of order"));
}

TEST(BrokenPeer, framesThatAreTooLongOrUnknownEndTheSession) {
  for (const std::string_view header : {std::string_view("\x01\x01\x00\x20\x00", 5), std::string_view("\x01\xff\xff\xff\xff", 5),
                                        std::string_view("\x00\x00\x00\x00\x00", 5), std::string_view("\x7f\x00\x00\x00\x00", 5)}) {
    Move move;
    Peer peer(move, Role::Target);
    peer.sendRaw(header);
    EXPECT_EQ(peer.failure(), "ended");
  }
}

TEST(BrokenPeer, moreThanTheWindowEndsTheSession) {
  Move move;
  Peer peer(move, Role::Source);  // a source does not read packs from its inbox
  for (int pack = 0; pack < 17; ++pack) peer.send(Kind::Pack, std::string(1000, 'x'));
  EXPECT_EQ(peer.failure(), "ended");
}

TEST(BrokenPeer, wantsForWhatWasNotListedAreRefused) {
  const auto attempt = [](const Wants& wants) {
    Move move;
    writeFile(move.source() / "file", "x");
    fs::create_directories(move.source() / "zdirectory");
    Peer peer(move, Role::Source);
    EXPECT_EQ(peer.next().kind, Kind::Listing);
    peer.send(Kind::WantsRuns, encode(wants));
    return peer.failure();
  };
  EXPECT_TRUE(attempt({99, true, {}}).contains("not sent"));
  EXPECT_TRUE(attempt({1, true, {{7, false, {}}}}).contains("not a file"));
  EXPECT_TRUE(attempt({1, true, {{1, false, {}}}}).contains("not a file"));
  EXPECT_TRUE(attempt({1, true, {{0, false, {}}, {0, false, {}}}}).contains("not a file"));
  EXPECT_TRUE(attempt({1, true, {{0, true, {}}}}).contains("truncated"));
}

TEST(BrokenPeer, anotherVersionIsNamed) {
  Move move;
  auto [near_end, far_end] = net::makePipe(move.loop().executor());
  HashCache cache;
  move.loop().spawn(runSession(std::move(far_end), {Role::Source, &cache, move.sourceRoot()}));
  std::vector<Frame> frames(1);
  frames[0] = {Kind::Hello, encode(Hello{kProtocolVersion + 1, "op-test", true, move.scope}), {}};
  move.loop().run(writeFrames(*near_end, frames));
  FrameReader reader(*near_end);
  auto frame = move.loop().run(reader.next());
  while (frame && frame->kind == Kind::Progress) frame = move.loop().run(reader.next());
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->kind, Kind::Failed);
  EXPECT_TRUE(decode<Failure>(frame->payload).message.contains("version"));
}

}  // namespace
}  // namespace swarm::transfer
