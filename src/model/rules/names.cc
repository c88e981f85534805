// What names, references and paths look like, and names that people can say.
#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"
#include "model/rules/validation.h"

namespace swarm {
namespace {

/// Hosts that the product itself, or a browser, may want below the base domain.
constexpr std::string_view kReserved[] = {"admin", "api",       "app",    "auth",    "dashboard", "docs",   "gateway", "health",
                                          "login", "localhost", "logout", "metrics", "static",    "status", "swarm",   "www"};

constexpr std::string_view kAdjectives[] = {"able",  "bold",  "brave", "bright", "calm",   "clear",  "clever", "cosy",  "crisp",  "eager",
                                            "early", "fair",  "fast",  "fine",   "fleet",  "fresh",  "gentle", "glad",  "golden", "grand",
                                            "happy", "keen",  "kind",  "light",  "lively", "lucky",  "merry",  "mild",  "neat",   "noble",
                                            "proud", "quick", "quiet", "ready",  "sharp",  "silent", "smart",  "solid", "spry",   "steady",
                                            "sunny", "swift", "tidy",  "warm",   "wise",   "witty",  "young",  "zesty"};
constexpr std::string_view kAnimals[] = {"badger", "beaver", "bison", "bear",  "crane", "crow",   "deer",  "dolphin", "eagle", "falcon",
                                         "ferret", "finch",  "fox",   "gecko", "goose", "hare",   "hawk",  "heron",   "ibex",  "jackal",
                                         "jay",    "koala",  "lark",  "lemur", "lion",  "llama",  "lynx",  "marten",  "mole",  "moose",
                                         "newt",   "orca",   "otter", "owl",   "panda", "puffin", "quail", "raven",   "robin", "salmon",
                                         "seal",   "stork",  "swan",  "tapir", "tiger", "trout",  "whale", "wolf"};

bool isLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool isWord(char c) { return isLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

/// "i-" and 26 digits of newId().
bool hasIdForm(std::string_view name) {
  return name.size() == 28 && name.starts_with("i-") && std::all_of(name.begin() + 2, name.end(), isLowerOrDigit);
}

/// One part of a path: [a-z0-9]+ joined by ".", "_", "__" or dashes.
bool isPathPart(std::string_view part) {
  if (part.empty() || !isLowerOrDigit(part.front()) || !isLowerOrDigit(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (isLowerOrDigit(part[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < part.size() && part[end] == part[i]) ++end;
    std::size_t length = end - i;
    bool separator = part[i] == '-' || (part[i] == '.' && length == 1) || (part[i] == '_' && length <= 2);
    if (!separator || !isLowerOrDigit(part[end])) return false;
    i = end;
  }
  return true;
}

/// host[:port], as the first part of a reference.
bool isRegistry(std::string_view text) {
  auto colon = text.find(':');
  std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  if (host.empty() || host.front() == '-' || host.back() == '-' || host.front() == '.' || host.back() == '.') return false;
  return std::all_of(host.begin(), host.end(), [](char c) { return (isWord(c) && c != '_') || c == '-' || c == '.'; }) &&
         host.find("..") == std::string_view::npos;
}

bool isTag(std::string_view tag) {
  return !tag.empty() && tag.size() <= 128 && isWord(tag.front()) &&
         std::all_of(tag.begin(), tag.end(), [](char c) { return isWord(c) || c == '.' || c == '-'; });
}

bool isDigest(std::string_view digest) {
  constexpr std::string_view prefix = "sha256:";
  return digest.starts_with(prefix) && digest.size() == prefix.size() + 64 &&
         std::all_of(digest.begin() + prefix.size(), digest.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::size_t pick(std::size_t count) {
  std::string bytes = randomBytes(4);
  std::size_t number = 0;
  for (unsigned char byte : bytes) number = number * 256 + byte;
  return number % count;
}

}  // namespace

std::string nameFault(std::string_view name) {
  bool label = !name.empty() && name.size() <= 40 &&
               std::all_of(name.begin(), name.end(), [](char c) { return isLowerOrDigit(c) || c == '-'; }) && name.front() != '-' &&
               name.back() != '-';
  if (!label) return "must be 1 to 40 of a-z, 0-9 and \"-\", without a dash at its ends";
  if (name.find("--") != std::string_view::npos) return "must not contain \"--\": it separates port and name in host names";
  if (std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved))
    return format("must not be \"{}\": it is reserved", name);
  if (hasIdForm(name)) return "must not look like a workspace's id";
  return {};
}

bool isImageReference(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (auto at = text.find('@'); at != std::string_view::npos) {
    if (!isDigest(text.substr(at + 1))) return false;
    text = text.substr(0, at);
  }
  // A colon after the last slash begins the tag; one before it, a registry's port.
  auto slash = text.rfind('/');
  auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    if (!isTag(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  if (auto first = text.find('/'); first != std::string_view::npos) {
    std::string_view host = text.substr(0, first);
    bool registry = host.find_first_of(".:") != std::string_view::npos || host == "localhost";
    if (registry) {
      if (!isRegistry(host)) return false;
      text.remove_prefix(first + 1);
    }
  }
  while (true) {
    auto end = text.find('/');
    if (!isPathPart(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool isResourceName(std::string_view text) { return text.size() <= 64 && isVolumeName(text); }

bool isVolumeName(std::string_view text) {
  return text.size() >= 2 && text.size() <= 128 && isWord(text.front()) && text.front() != '_' &&
         std::all_of(text.begin(), text.end(), [](char c) { return isWord(c) || c == '.' || c == '-'; });
}

bool isDnsLabel(std::string_view text) {
  auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' && std::all_of(text.begin(), text.end(), is_plain);
}

bool isNormalPath(std::string_view path) {
  if (path.size() < 2 || path.front() != '/') return false;
  for (char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ':' || c == ',' || c == '\\') return false;
  }
  std::string_view rest = path.substr(1);
  while (true) {
    auto end = rest.find('/');
    std::string_view part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end == std::string_view::npos) return true;
    rest.remove_prefix(end + 1);
  }
}

std::string makeInstanceName(std::string_view prefix, const std::function<bool(std::string_view)>& isTaken) {
  for (std::size_t digits = 100;; digits *= 10) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      std::string name =
          format("{}{}-{}-{}", prefix, kAdjectives[pick(std::size(kAdjectives))], kAnimals[pick(std::size(kAnimals))], pick(digits));
      if (!isTaken(name)) return name;
    }
  }
}

void fillInDefaults(InstanceConfig& config, const ConfigDefaults& defaults, const std::function<bool(std::string_view)>& isTaken) {
  if (config.name.empty()) config.name = makeInstanceName(defaults.namePrefix, isTaken);
  if (config.image.empty()) config.image = defaults.image;
  if (!config.storage.empty()) return;
  config.storage.push_back(defaults.home);
  // A requested disk size applies to the home, the only volume.
  if (config.resources.storage.size != ResourceConfig{}.storage.size) config.storage.back().size = config.resources.storage.size;
}

}  // namespace swarm
