// Parser and gate of HTTP/1.1 heads in one pass: strict RFC 9112, views into the caller's bytes, no allocation on a warm connection.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/text/number.h"
#include "net/http/grammar/head_target.h"
#include "net/http/http.h"

namespace swarm::net {
namespace {

using Refusal = std::unexpected<HeadError>;

Refusal refuse(std::string_view reason, int status = 400) { return Refusal(HeadError{status, reason}); }

constexpr std::array<bool, 256> kTokenBytes = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

// Visible characters, space, tab, and the bytes above ASCII that RFC 9110 calls obs-text.
constexpr std::array<bool, 256> kValueBytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 256; ++c) table[c] = c != 0x7f;
  table['\t'] = true;
  return table;
}();

bool isToken(std::string_view text) {
  for (const char c : text) {
    if (!kTokenBytes[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

bool isValue(std::string_view text) {
  for (const char c : text) {
    if (!kValueBytes[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

// Takes one line, without its CRLF, off the front of `rest`. False for a bare LF or a missing line end; a bare CR within the line is
// detected by the character checks.
bool takeLine(std::string_view& rest, std::string_view& line) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return false;
  line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return true;
}

// What framing and routing need, collected while the fields are read.
struct Facts {
  std::string_view host;
  std::string_view transfer_encoding;
  std::string_view upgrade;
  std::string_view keep_alive_value;
  std::uint64_t content_length = 0;
  int hosts = 0;
  int content_lengths = 0;
  int transfer_encodings = 0;
  bool bad_content_length = false;
  bool close = false;
  bool keep_alive = false;
  bool wants_upgrade = false;
  bool expects_continue = false;
};

void noteContentLength(std::string_view value, Facts& facts) {
  ++facts.content_lengths;
  facts.bad_content_length |= value.empty() || value.size() > 18;  // 18 digits are less than 2^63
  for (const char c : value) {
    facts.bad_content_length |= c < '0' || c > '9';
    facts.content_length = facts.content_length * 10 + static_cast<unsigned char>(c - '0');
  }
}

void noteConnection(std::string_view value, Facts& facts) {
  facts.close |= listHasToken(value, "close");
  facts.keep_alive |= listHasToken(value, "keep-alive");
  facts.wants_upgrade |= listHasToken(value, "upgrade");
}

void noteField(const HeaderView& field, Facts& facts) {
  switch (field.name.size()) {
    case 4:
      if (equalsIgnoreCase(field.name, "Host")) {
        ++facts.hosts;
        facts.host = field.value;
      }
      break;
    case 6:
      if (equalsIgnoreCase(field.name, "Expect")) facts.expects_continue |= equalsIgnoreCase(field.value, "100-continue");
      break;
    case 7:
      if (equalsIgnoreCase(field.name, "Upgrade")) facts.upgrade = field.value;
      break;
    case 10:
      if (equalsIgnoreCase(field.name, "Connection")) {
        noteConnection(field.value, facts);
      } else if (equalsIgnoreCase(field.name, "Keep-Alive")) {
        facts.keep_alive_value = field.value;
      }
      break;
    case 14:
      if (equalsIgnoreCase(field.name, "Content-Length")) noteContentLength(field.value, facts);
      break;
    case 17:
      if (equalsIgnoreCase(field.name, "Transfer-Encoding")) {
        ++facts.transfer_encodings;
        facts.transfer_encoding = field.value;
      }
      break;
    default:
      break;
  }
}

// The fields after the first line, up to the empty line that must be the end of `rest`.
std::expected<void, HeadError> parseFields(std::string_view rest, std::size_t maximum, HeaderViews& headers, Facts& facts) {
  while (true) {
    std::string_view line;
    if (!takeLine(rest, line)) return refuse("A header line does not end with CRLF");
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return refuse("A header field is folded over two lines");
    std::size_t colon = 0;
    while (colon < line.size() && kTokenBytes[static_cast<unsigned char>(line[colon])]) ++colon;
    if (colon == 0 || colon == line.size() || line[colon] != ':') return refuse("A header field's name is malformed");
    const HeaderView field{line.substr(0, colon), trim(line.substr(colon + 1))};
    if (!isValue(field.value)) return refuse("A header field's value contains a forbidden character");
    if (headers.all().size() == maximum) return refuse("Too many header fields", 431);
    headers.add(field);
    noteField(field, facts);
  }
  if (!rest.empty()) return refuse("Unexpected bytes after the header section");
  return {};
}

// "HTTP/1.0" and "HTTP/1.1" only.
std::expected<int, HeadError> parseVersion(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  const bool other = text.size() == 8 && text.starts_with("HTTP/") && text[6] == '.' && text[5] >= '0' && text[5] <= '9' &&
                     text[7] >= '0' && text[7] <= '9';
  if (other) return refuse("Only HTTP/1.1 is supported", 505);
  return refuse("The HTTP version is malformed");
}

std::expected<void, HeadError> gateFraming(const Facts& facts, int minor_version) {
  if (facts.content_lengths > 1 || facts.bad_content_length) return refuse("Content-Length is malformed or repeated");
  if (facts.transfer_encodings == 0) return {};
  if (facts.content_lengths > 0) return refuse("Transfer-Encoding and Content-Length are both present");
  if (facts.transfer_encodings > 1) return refuse("Transfer-Encoding is repeated");
  if (minor_version == 0) return refuse("HTTP/1.0 does not allow Transfer-Encoding");
  if (equalsIgnoreCase(facts.transfer_encoding, "chunked")) return {};
  if (isToken(facts.transfer_encoding) || listHasToken(facts.transfer_encoding, "chunked")) {
    return refuse("The only supported Transfer-Encoding is chunked", 501);
  }
  return refuse("Transfer-Encoding is malformed");
}

// "timeout=5, max=100"
std::optional<std::chrono::seconds> timeoutOf(std::string_view keep_alive) {
  constexpr std::string_view kName = "timeout=";
  const std::size_t at = keep_alive.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  keep_alive.remove_prefix(at + kName.size());
  long seconds = 0;
  const auto parsed = std::from_chars(keep_alive.data(), keep_alive.data() + keep_alive.size(), seconds);
  if (parsed.ec != std::errc{} || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 24L * 3600));
}

bool keepsAlive(const Facts& facts, int minor_version) { return !facts.close && (minor_version == 1 || facts.keep_alive); }

std::expected<void, HeadError> parseRequestLine(std::string_view line, RequestHead& head) {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return refuse("The request line is malformed");
  head.method = line.substr(0, method_end);
  if (!isToken(head.method) || head.method.size() > 32) return refuse("The request method is malformed");
  line.remove_prefix(method_end + 1);
  const std::size_t target_end = line.rfind(' ');
  if (target_end == std::string_view::npos || target_end == 0) return refuse("The request line is malformed");
  head.target = line.substr(0, target_end);
  if (head.target.size() > kMaxTargetBytes) return refuse("The request target is too long", 414);
  const auto version = parseVersion(line.substr(target_end + 1));
  if (!version) return Refusal(version.error());
  head.minorVersion = *version;
  if (head.method == "CONNECT") return refuse("CONNECT is not supported", 501);
  return {};
}

std::expected<void, HeadError> parseStatusLine(std::string_view line, ResponseHead& head) {
  // "HTTP/1.1 200 OK"; some servers omit the space before an empty reason.
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return refuse("The status line is malformed");
  const auto version = parseVersion(line.substr(0, 8));
  if (!version) return Refusal(version.error());
  head.minorVersion = *version;
  const auto status = parseNumber<std::uint16_t>(line.substr(9, 3));
  if (!status || *status < 100) return refuse("The status is malformed");
  head.status = *status;
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!isValue(head.reason)) return refuse("The status line contains a forbidden character");
  return {};
}

}  // namespace

std::expected<void, HeadError> parseRequestHead(std::string_view bytes, RequestHead& head, OddPaths odd_paths) {
  head.headers.clear();
  if (bytes.size() > kMaxHeadBytes) return refuse("The header section is too large", 431);
  std::string_view line;
  if (!takeLine(bytes, line)) return refuse("The request line does not end with CRLF");
  if (auto result = parseRequestLine(line, head); !result) return result;
  Facts facts;
  if (auto result = parseFields(bytes, kMaxFields, head.headers, facts); !result) return result;
  if (facts.hosts != 1) return refuse(facts.hosts == 0 ? "Host is missing" : "Host is repeated");
  head.hostPort = facts.host;
  head.host = gateHost(facts.host);
  if (head.host.empty()) return refuse("Host is malformed");
  if (auto result = gateFraming(facts, head.minorVersion); !result) return result;
  const auto target = gateTarget(head.target, head.method, head.hostPort);
  if (!target) return Refusal(target.error());
  if (target->odd && odd_paths == OddPaths::Refuse) return refuse("The request target's path is ambiguous");
  head.target = target->text;
  head.oddPath = target->odd;
  head.keepAlive = keepsAlive(facts, head.minorVersion);
  head.upgrade = facts.wants_upgrade && head.minorVersion == 1 ? facts.upgrade : std::string_view();
  head.expectsContinue = facts.expects_continue && head.minorVersion == 1;
  head.body = {};
  if (facts.transfer_encodings == 1) {
    head.body.kind = BodyKind::Chunked;
  } else if (facts.content_length > 0) {
    head.body = {BodyKind::Length, facts.content_length};
  }
  return {};
}

std::expected<void, HeadError> parseResponseHead(std::string_view bytes, std::string_view request_method, ResponseHead& head) {
  head.headers.clear();
  if (bytes.size() > kMaxHeadBytes) return refuse("The header section is too large", 431);
  std::string_view line;
  if (!takeLine(bytes, line)) return refuse("The status line does not end with CRLF");
  if (auto result = parseStatusLine(line, head); !result) return result;
  Facts facts;
  if (auto result = parseFields(bytes, kMaxResponseFields, head.headers, facts); !result) return result;
  if (auto result = gateFraming(facts, head.minorVersion); !result) return result;
  head.keepAlive = keepsAlive(facts, head.minorVersion);
  head.upgraded = head.status == 101;
  head.keepAliveTimeout = timeoutOf(facts.keep_alive_value);
  head.body = {};
  if (head.status < 200 || head.status == 204) {
    // A body here would be read as the next response by one side or the other.
    if (facts.transfer_encodings > 0) return refuse("A response without a body has a Transfer-Encoding");
    if (facts.content_length > 0) head.keepAlive = false;
  } else if (head.status == 304 || request_method == "HEAD" || (request_method == "CONNECT" && head.status < 300)) {
    // Content-Length and Transfer-Encoding describe the body of a GET response. Some servers send the empty last chunk anyway.
    if (head.status == 304 && facts.transfer_encodings > 0) head.keepAlive = false;
  } else if (facts.transfer_encodings == 1) {
    head.body.kind = BodyKind::Chunked;
  } else if (facts.content_lengths == 1) {
    if (facts.content_length > 0) head.body = {BodyKind::Length, facts.content_length};
  } else {
    head.body.kind = BodyKind::UntilClose;
    head.keepAlive = false;
  }
  return {};
}

}  // namespace swarm::net
