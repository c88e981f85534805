// Reads lists of ETags.
#include "api/http/entity_tags.h"

#include "base/text/format.h"
#include "base/text/number.h"

namespace swarm::api {
namespace {

void skipBlanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size())); }

bool isTagCharacter(char c) { return c != '"' && static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }

/// The version in a strong tag of this server: v3.
std::optional<std::int64_t> versionOf(std::string_view opaque) {
  if (!opaque.starts_with('v')) return std::nullopt;
  return parseNumber<std::int64_t>(opaque.substr(1));
}

}  // namespace

std::string entityTag(const Instance& instance) { return format("\"v{}\"", instance.version); }

std::optional<VersionCondition> parseEntityTags(std::string_view list) {
  skipBlanks(list);
  if (list.starts_with('*')) {
    list.remove_prefix(1);
    skipBlanks(list);
    return list.empty() ? std::optional(VersionCondition{}) : std::nullopt;
  }
  VersionCondition condition{.any = false, .versions = {}};
  std::size_t tags = 0;
  for (;;) {
    skipBlanks(list);
    if (!list.empty() && list.front() != ',') {
      bool weak = list.starts_with("W/");
      if (weak) list.remove_prefix(2);
      if (!list.starts_with('"')) return std::nullopt;
      std::size_t end = list.find('"', 1);
      if (end == std::string_view::npos) return std::nullopt;
      std::string_view opaque = list.substr(1, end - 1);
      if (!std::all_of(opaque.begin(), opaque.end(), isTagCharacter)) return std::nullopt;
      if (auto version = versionOf(opaque); version && !weak) condition.versions.push_back(*version);
      ++tags;
      list.remove_prefix(end + 1);
      skipBlanks(list);
    }
    if (list.empty()) return tags > 0 ? std::optional(condition) : std::nullopt;
    if (list.front() != ',') return std::nullopt;
    list.remove_prefix(1);
  }
}

}  // namespace swarm::api
