// Encoding and decoding between the server and an agent: commands, progress, reports.
#include "base/text/untrusted_text.h"
#include "transfer/wire/message_parts.h"
#include "transfer/wire/messages.h"

namespace swarm::transfer {
namespace {

constexpr std::size_t kMaxNotes = 100;
constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::size_t kMaxNoteText = 2048;  // maximum length of a note's text

void put(Encoder& out, const std::vector<std::string>& texts) {
  out.number(texts.size());
  for (const std::string& text : texts) out.bytes(text);
}

std::vector<std::string> getTexts(Decoder& in) {
  std::vector<std::string> texts(in.count(1));
  for (std::string& text : texts) text = in.bytes(kMaxText);
  return texts;
}

Encoder& put(Encoder& out, std::int64_t value) { return out.number(static_cast<std::uint64_t>(value)); }

void put(Encoder& out, const std::vector<Note>& notes) {
  const std::size_t count = std::min(notes.size(), kMaxNotes);
  out.number(count);
  for (std::size_t at = 0; at < count; ++at) out.bytes(notes[at].path).bytes(notes[at].reason);
}

std::vector<Note> getNotes(Decoder& in) {
  std::vector<Note> notes(in.number(kMaxNotes));
  for (Note& note : notes) {
    note.path = printable(in.bytes(kMaxText), kMaxNoteText);
    note.reason = printable(in.bytes(kMaxText), kMaxNoteText);
  }
  return notes;
}

}  // namespace

std::string encode(const Hello& hello) {
  Encoder out;
  out.number(hello.version).bytes(hello.transferId).flag(hello.isSource);
  put(out, hello.scope.storages);
  put(out, hello.scope.excluded);
  return out.take();
}

template <>
Hello decode(std::string_view payload) {
  Decoder in(payload);
  Hello hello;
  hello.version = in.number();
  if (hello.version != kProtocolVersion)
    brokenPeer("it uses another protocol version; update the workspace's agent and the server to the same release");
  hello.transferId = in.bytes(256);
  hello.isSource = in.flag();
  hello.scope.storages = getTexts(in);
  hello.scope.excluded = getTexts(in);
  in.end();
  return hello;
}

std::string encode(const RoundCommand& command) { return Encoder().flag(command.kind == RoundKind::Final).take(); }

template <>
RoundCommand decode(std::string_view payload) {
  Decoder in(payload);
  RoundCommand command{in.flag() ? RoundKind::Final : RoundKind::Live};
  in.end();
  return command;
}

std::string encode(const DigestCommand& command) { return Encoder().flag(command.held).take(); }

template <>
DigestCommand decode(std::string_view payload) {
  Decoder in(payload);
  DigestCommand command{in.flag()};
  in.end();
  return command;
}

std::string encode(const TransferProgress& progress) {
  Encoder out;
  put(put(put(out, progress.filesDone), progress.bytesDone), progress.bytesSent);
  return out.take();
}

template <>
TransferProgress decode(std::string_view payload) {
  constexpr std::int64_t kMaxShown = std::int64_t{1} << 56;  // they are added and multiplied for display
  Decoder in(payload);
  TransferProgress progress;
  for (std::int64_t* number : {&progress.filesDone, &progress.bytesDone, &progress.bytesSent}) *number = std::min(in.size(), kMaxShown);
  in.end();
  return progress;
}

std::string encode(const ScanReport& report) {
  Encoder out;
  put(put(put(put(out, report.files), report.directories), report.bytes), report.skippedCount);
  put(out, report.skipped);
  out.number(report.space.size());
  for (const ScanReport::Space& space : report.space) put(put(out.bytes(space.mountPath), space.total), space.free);
  return out.take();
}

template <>
ScanReport decode(std::string_view payload) {
  Decoder in(payload);
  ScanReport report;
  report.files = in.size();
  report.directories = in.size();
  report.bytes = in.size();
  report.skippedCount = in.size();
  report.skipped = getNotes(in);
  report.space.resize(in.count(3));
  for (ScanReport::Space& space : report.space) {
    space.mountPath = in.bytes(kMaxText);
    space.total = in.size();
    space.free = in.size();
  }
  in.end();
  return report;
}

std::string encode(const RoundReport& report) {
  Encoder out;
  put(put(put(put(out, report.files), report.bytes), report.filesSent), report.bytesSent);
  put(put(put(out, report.deleted), report.unstable), report.skippedCount);
  put(out, report.skipped);
  return out.take();
}

template <>
RoundReport decode(std::string_view payload) {
  Decoder in(payload);
  RoundReport report;
  report.files = in.size();
  report.bytes = in.size();
  report.filesSent = in.size();
  report.bytesSent = in.size();
  report.deleted = in.size();
  report.unstable = in.size();
  report.skippedCount = in.size();
  report.skipped = getNotes(in);
  in.end();
  return report;
}

std::string encode(const DigestReport& report) {
  Encoder out;
  put(put(out.bytes(report.digest), report.files), report.bytes);
  return out.take();
}

template <>
DigestReport decode(std::string_view payload) {
  Decoder in(payload);
  DigestReport report;
  report.digest = in.bytes(256);
  report.files = in.size();
  report.bytes = in.size();
  in.end();
  return report;
}

std::string encode(const Failure& failure) { return Encoder().bytes(failure.code).bytes(failure.message).take(); }

template <>
Failure decode(std::string_view payload) {
  Decoder in(payload);
  Failure failure;
  failure.code = in.bytes(64);
  failure.message = in.bytes(kMaxText);
  in.end();
  return failure;
}

std::string encode(const std::vector<ManifestLine>& lines) {
  Encoder out;
  out.number(lines.size());
  for (const ManifestLine& line : lines) out.number(line.storage).bytes(line.directory).bytes(line.name).bytes(line.facts);
  return out.take();
}

template <>
std::vector<ManifestLine> decode(std::string_view payload) {
  Decoder in(payload);
  std::vector<ManifestLine> lines;
  const std::size_t count = in.count(4);
  for (std::size_t at = 0; at < count; ++at) {
    ManifestLine line;
    line.storage = in.number(1000);
    line.directory = in.bytes();
    line.name = in.bytes(255);
    line.facts = in.bytes(4096);
    lines.push_back(std::move(line));
  }
  in.end();
  return lines;
}

}  // namespace swarm::transfer
