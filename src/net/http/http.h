// HTTP/1.1 messages: heads as views into one buffer, the strict gate that every head passes, and body framing.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream/splice.h"
#include "net/stream/stream.h"

namespace swarm::net {

/// Case-insensitive ASCII comparison, as header names require.
bool equalsIgnoreCase(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);  ///< without spaces and tabs at its ends

/// Whether a comma-separated list such as Connection's contains `token`, ignoring case.
bool listHasToken(std::string_view list, std::string_view token);

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// The fields of a received head, in order. Views: valid as long as the connection's buffer holds the head (until the exchange ends).
class HeaderViews {
 public:
  std::optional<std::string_view> find(std::string_view name) const;  ///< the first one
  bool has(std::string_view name) const { return find(name).has_value(); }
  const std::vector<HeaderView>& all() const { return fields_; }
  void add(HeaderView field) { fields_.push_back(field); }
  void clear() { fields_.clear(); }  ///< keeps the capacity: no allocation per request on a reused connection

 private:
  std::vector<HeaderView> fields_;
};

enum class BodyKind { None, Length, Chunked, UntilClose };
struct BodyFraming {
  BodyKind kind = BodyKind::None;
  std::uint64_t length = 0;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;    ///< origin form ("/path?query"), or "*" for OPTIONS; absolute form is reduced to it when its host equals Host
  std::string_view host;      ///< Host without port, as sent; never empty
  std::string_view hostPort;  ///< Host as sent
  int minorVersion = 1;
  bool keepAlive = true;
  std::string_view upgrade;      ///< Upgrade's value when Connection lists it, else empty
  bool expectsContinue = false;  ///< Expect: 100-continue
  bool oddPath = false;          ///< see OddPaths; never set where they are refused
  BodyFraming body;
  HeaderViews headers;
  std::string_view path() const { return target.substr(0, target.find('?')); }
  std::string_view query() const;  ///< without "?"; empty when absent
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minorVersion = 1;
  bool keepAlive = true;
  bool upgraded = false;                                 ///< 101
  std::optional<std::chrono::seconds> keepAliveTimeout;  ///< Keep-Alive: timeout=N
  BodyFraming body;
  HeaderViews headers;
};

/// Why a head was refused, with the status of the response (400, 414, 431, 501, 505).
struct HeadError {
  int status = 400;
  std::string_view reason;
};

inline constexpr std::size_t kMaxHeadBytes = 64 * 1024;
inline constexpr std::size_t kMaxTargetBytes = 32 * 1024;  ///< longer: 414
inline constexpr std::size_t kMaxFields = 200;             ///< of a request; more: 431
inline constexpr std::size_t kMaxResponseFields = 1000;
inline constexpr int kMaxInterimResponses = 16;  ///< 1xx before one final response; a server that sends more never ends

/// Parses and gates a complete head (`bytes` ends with the empty line). The gate refuses: a missing or repeated Host; obs-fold; bare CR or
/// LF; NUL; Transfer-Encoding other than exactly "chunked" once; Transfer-Encoding with Content-Length; chunked on HTTP/1.0; repeated or
/// malformed Content-Lengths; white space before a colon; targets with /../, /%2e%2e/, backslashes, control characters or fragments; a
/// userinfo or bad Host. The part after "?" may contain what browsers send there unescaped, including a backslash. After a refusal the
/// content of `head` is unspecified.
///
/// Odd paths start with "//" or contain a malformed escape ("/100%.txt"): browsers send them, and two servers may interpret them
/// differently. Only a handler that passes the path on unchanged may accept them; `head.oddPath` marks them.
enum class OddPaths { Refuse, Mark };
std::expected<void, HeadError> parseRequestHead(std::string_view bytes, RequestHead& head, OddPaths odd_paths = OddPaths::Refuse);
/// `request_method` decides whether there is a body (HEAD, CONNECT).
std::expected<void, HeadError> parseResponseHead(std::string_view bytes, std::string_view request_method, ResponseHead& head);

/// The growing read buffer of one connection: a head, and the bytes that arrived after it. Views into the head that readHead() found last
/// stay valid until the next readHead(), whatever is read in between.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t initial = 16 * 1024);
  std::string_view data() const { return std::string_view(storage_.data() + begin_, end_ - begin_); }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  asio::mutable_buffer prepare(std::size_t at_least);  ///< may move data: invalidates views into it (except into a pinned head)
  void commit(std::size_t bytes) { end_ += bytes; }

  std::size_t memory() const { return storage_.size() + retired_.size(); }  ///< bytes allocated

  void pin(std::size_t bytes) { pinned_ = begin_ + bytes; }  ///< the next `bytes` bytes stay in place until unpin()
  void unpin();

 private:
  std::vector<char> storage_;
  std::vector<char> retired_;  // holds a pinned head that storage_ outgrew
  std::size_t begin_ = 0, end_ = 0;
  std::size_t pinned_ = 0;  // storage_ before this offset may not move
};

/// Strict is required of requests and of our own peers. Relaxed is what browsers accept from a server, as far as it has only one
/// interpretation: lines that end with LF alone, chunk sizes with white space or extra zeros.
enum class Grammar { Strict, Relaxed };

/// Consulted before each read of a head.
class HeadObserver {
 public:
  virtual bool mayRead() = 0;  ///< false: the buffer has become too large for a head that waits

 protected:
  ~HeadObserver() = default;
};

/// Reads until the buffer holds a complete head; returns its size, or 0 at a clean end before the first byte. A head that can no longer
/// become valid also counts as complete: one spoiled by a bare LF or an empty first line (Strict), or one that does not start as an HTTP
/// response does (Relaxed). The parser then refuses it. Errors: message_size past kMaxHeadBytes, eof within a head, no_buffer_space when
/// the observer refuses, the stream's errors.
awaitable<std::expected<std::size_t, error_code>> readHead(Stream& stream, ReadBuffer& buffer, Grammar grammar = Grammar::Strict,
                                                           HeadObserver* observer = nullptr);

/// Notified of the progress of reading a body.
class BodyObserver {
 public:
  virtual void bodyProgressed() = 0;  ///< some bytes arrived
  virtual void bodyEnded() = 0;       ///< the whole body was read

 protected:
  ~BodyObserver() = default;
};

/// Decodes one message body from `buffer` and then `stream`. Chunk framing is checked strictly; trailers are read and dropped.
class BodyReader {
 public:
  BodyReader(Stream& stream, ReadBuffer& buffer, BodyFraming framing, Grammar grammar = Grammar::Strict);
  /// Decoded bytes; 0 bytes without error at the end of the body. A truncated body gives asio::error::eof as an error, bad chunk framing
  /// gives bad_message (EBADMSG). The connection is unusable after an error.
  awaitable<IoResult> readSome(asio::mutable_buffer into);
  /// Moves the rest of the body to `to` unchanged, without copying it, where splice() can. The remainder is read as usual.
  awaitable<Spliced> spliceTo(Stream& to);
  /// Whether spliceTo() is worthwhile: a large part of a body with known length has not arrived in the buffer.
  bool hasLargeRest() const { return framing_.kind == BodyKind::Length && left_ >= kSpliceBytes && buffer_.empty() && !continue_pending_; }
  bool done() const { return done_; }
  const BodyFraming& framing() const { return framing_; }
  /// The peer waits for "100 Continue": the first readSome() that finds nothing buffered sends it.
  void continueOnRead() { continue_pending_ = !done_; }
  bool awaitsContinue() const { return continue_pending_; }
  void observe(BodyObserver& observer) { observer_ = &observer; }  ///< which must outlive this

 private:
  awaitable<IoResult> readRaw(asio::mutable_buffer into);
  void progress();
  awaitable<error_code> fill();
  awaitable<error_code> nextChunk();
  awaitable<error_code> skipTrailers();
  awaitable<std::expected<std::string_view, error_code>> readLine(std::size_t maximum);
  Stream& stream_;
  ReadBuffer& buffer_;
  BodyFraming framing_;
  Grammar grammar_;
  BodyObserver* observer_ = nullptr;
  std::uint64_t left_ = 0;           // of the body, or of the chunk
  std::size_t extension_bytes_ = 0;  // of all chunk extensions, which are bounded
  unsigned char burst_ = 0;          // pieces read from the buffer without yielding to other connections
  bool first_chunk_ = true;
  bool done_ = false;
  bool continue_pending_ = false;
};

/// Parses the size line of a chunk (without its line end); empty when malformed. Exposed for tests and fuzzing.
std::optional<std::uint64_t> parseChunkSize(std::string_view line, Grammar grammar = Grammar::Strict);

/// Reads a whole request body; throws Error(PayloadTooLarge) past `limit`, Error(InvalidArgument) when it is truncated or badly framed,
/// Error(DeadlineExceeded) past the stream's deadline.
awaitable<std::string> readAll(BodyReader& body, std::size_t limit);

/// Owned headers for messages that this program sends.
struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;
std::string_view findHeader(const Headers& headers, std::string_view name);  ///< empty when absent

std::string percentEncode(std::string_view text);                 ///< everything except unreserved characters
std::optional<std::string> percentDecode(std::string_view text);  ///< empty on a bad escape
/// "a=1&b=%20" → pairs; throws Error(InvalidArgument) on a bad escape.
std::vector<std::pair<std::string, std::string>> parseQuery(std::string_view query);
std::optional<std::string> cookieValue(const HeaderViews& headers, std::string_view name);
std::string_view reasonPhrase(int status);

}  // namespace swarm::net
