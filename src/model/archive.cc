// The archive's notes as JSON, and the frame that carries them.
#include "model/archive.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/json_access.h"
#include "base/text/untrusted_text.h"

namespace swarm {
namespace {
constexpr std::uint32_t kSkippableMagic = 0x184D2A5D;  // one of the sixteen that Zstandard leaves to others
constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::string_view kMark = "SWARMEND";
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kFooter = 4 + kMark.size();  // the JSON's length once more, to be found from behind
constexpr std::size_t kLongestText = 2'000;

void appendNumber(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xFF);
}

std::uint32_t readNumber(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::string textOf(const boost::json::object& object, std::string_view name) { return printable(stringIn(object, name), kLongestText); }

}  // namespace

void ArchiveNotes::add(std::string path, std::string reason) {
  ++count;
  if (notes.size() < kMaxArchiveNotes) notes.push_back({printable(path, kLongestText), printable(reason, kLongestText)});
}

boost::json::object toJson(const ArchiveNotes& notes) {
  boost::json::array list;
  for (const ArchiveNote& note : notes.notes) list.push_back(boost::json::object{{"path", note.path}, {"reason", note.reason}});
  boost::json::object json{{"notes", std::move(list)}, {"count", notes.count}};
  if (!notes.failure.empty()) json["failure"] = printable(notes.failure, kLongestText);
  if (!notes.digest.empty()) json["digest"] = notes.digest;
  return json;
}

ArchiveNotes archiveNotesFromJson(const boost::json::value& json) {
  ArchiveNotes notes;
  const auto* object = json.if_object();
  if (!object) return notes;
  if (const auto* count = object->if_contains("count"); count && count->is_int64()) notes.count = count->get_int64();
  notes.failure = textOf(*object, "failure");
  notes.digest = textOf(*object, "digest");
  const auto* list = object->if_contains("notes");
  if (!list || !list->is_array()) return notes;
  for (const auto& one : list->get_array()) {
    if (notes.notes.size() == kMaxArchiveNotes) break;
    if (const auto* note = one.if_object()) notes.notes.push_back({textOf(*note, "path"), textOf(*note, "reason")});
  }
  return notes;
}

std::string makeEndMark(const ArchiveNotes& notes) {
  ArchiveNotes kept = notes;
  std::string text = boost::json::serialize(toJson(kept));
  while (text.size() + kFrameHead + kFooter > kLongestEndMark) {
    kept.notes.resize(kept.notes.size() / 2);
    text = boost::json::serialize(toJson(kept));
  }
  std::string frame;
  appendNumber(frame, kSkippableMagic);
  appendNumber(frame, static_cast<std::uint32_t>(text.size() + kFooter));
  frame += text;
  appendNumber(frame, static_cast<std::uint32_t>(text.size()));
  return frame.append(kMark);
}

std::optional<ArchiveNotes> findEndMark(std::string_view tail) {
  if (tail.size() < kFrameHead + kFooter || !tail.ends_with(kMark)) return std::nullopt;
  std::size_t length = readNumber(tail.substr(tail.size() - kFooter));
  if (length > tail.size() - kFrameHead - kFooter) return std::nullopt;
  std::string_view frame = tail.substr(tail.size() - kFrameHead - length - kFooter);
  if (readNumber(frame) != kSkippableMagic || readNumber(frame.substr(4)) != length + kFooter) return std::nullopt;
  boost::system::error_code error;
  std::string_view text = frame.substr(kFrameHead, length);
  auto json = boost::json::parse(boost::json::string_view(text.data(), text.size()), error);
  if (error) return std::nullopt;
  return archiveNotesFromJson(json);
}

bool looksCompressed(std::string_view head) { return head.size() >= 4 && readNumber(head) == kFrameMagic; }

}  // namespace swarm
