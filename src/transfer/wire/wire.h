// The bytes of a session: frames, and numbers and strings in them. Pure; every length is checked, because the peer is not trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::transfer {

/// The capability level of an agent. 1: the first release. 2: signatures as runs (WantsRuns), and a user's own lost+found. An agent sends
/// it in its response to Hello, where the first release sends nothing, and receives the other's in Other if that is 2 or more.
inline constexpr std::uint64_t kCapability = 2;

inline constexpr std::size_t kMaxPayload = 2 * 1024 * 1024;
inline constexpr std::size_t kHeaderBytes = 5;  ///< kind, and the payload's length as little endian

/// Below 0x80: between the agents, relayed unchanged. All others: between the server and one agent.
enum class Kind : std::uint8_t {
  Listing = 0x01,    ///< source → target: one directory, or a part of it
  Wants = 0x02,      ///< target → source: the files of a listing that it needs, and the hashes it has of them
  Pack = 0x03,       ///< source → target: content
  Ack = 0x04,        ///< target → source: a pack was written
  RoundEnd = 0x05,   ///< source → target: everything is listed, sent and acknowledged
  WantsRuns = 0x06,  ///< as Wants, with runs of equal hashes counted
  Hello = 0x80,
  Scan,
  Round,
  Digest,
  Sync,
  Manifest,
  Bye,
  Other,  ///< the capability of the agent at the other end
  Progress = 0x90,
  Result,
  Failed,
  ManifestLines,
};

inline bool isRelayed(std::uint8_t kind) { return kind < 0x80; }

struct FrameHeader {
  std::uint8_t kind = 0;
  std::size_t length = 0;
};
/// The first kHeaderBytes of `bytes`. Throws Error(UpstreamFailed) for a length above kMaxPayload or an unknown kind.
FrameHeader parseHeader(std::string_view bytes);

/// A frame to send: `payload` followed by `body`, so that content is not copied.
struct Frame {
  Kind kind = Kind::Bye;
  std::string payload;
  std::string body;

  std::size_t size() const { return payload.size() + body.size(); }
};
std::string headerOf(const Frame& frame);

[[noreturn]] void brokenPeer(std::string_view what);  ///< throws Error(UpstreamFailed)

class Encoder {
 public:
  Encoder& number(std::uint64_t value);  ///< 7 bits per byte, lowest first
  Encoder& signedNumber(std::int64_t value);
  Encoder& fixed(std::uint64_t value);  ///< 8 bytes, lowest first
  Encoder& flag(bool value) { return number(value ? 1 : 0); }
  Encoder& bytes(std::string_view value);  ///< with its length
  Encoder& raw(std::string_view value);
  std::string take() { return std::move(out_); }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

/// Reads the output of an Encoder. Throws Error(UpstreamFailed) for anything else.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}
  std::uint64_t number(std::uint64_t maximum = UINT64_MAX);
  std::int64_t signedNumber();
  std::uint64_t fixed();
  std::int64_t size();  ///< a number that fits a non-negative std::int64_t
  bool flag() { return number(1) == 1; }
  std::string_view bytes(std::size_t maximum = kMaxPayload);
  std::string_view raw(std::size_t length);
  /// A count of items that take at least `min_bytes` each: a claimed count must not exceed what the remaining bytes can hold.
  std::size_t count(std::size_t min_bytes = 1);
  std::string_view rest() { return raw(in_.size()); }
  void end() const;

 private:
  std::string_view in_;
};

}  // namespace swarm::transfer
