#include "provider/image_policy.h"

#include <algorithm>
#include <array>

#include "base/text/format.h"

namespace swarm {
namespace {

constexpr std::string_view kHub = "docker.io";

/// Last labels of names that only an internal network resolves.
constexpr std::array<std::string_view, 9> kInternalNames{"localhost", "local", "internal",    "intranet", "lan",
                                                         "home",      "corp",  "localdomain", "arpa"};

Error refused(std::string message) { return Error(ErrorCode::Unprocessable, message).withField("/image", message); }

bool isInternalHost(std::string_view registry) {
  if (registry.starts_with('[')) return true;  // an IPv6 address
  std::string host(registry.substr(0, registry.find(':')));
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (host.ends_with('.')) host.pop_back();
  auto dot = host.rfind('.');
  if (dot == std::string::npos) return true;  // a single label, "localhost" among them
  std::string_view last = std::string_view(host).substr(dot + 1);
  // No name ends in a number: 127.0.0.1, 127.1, 0x7f.0.0.1 are addresses.
  return last.empty() || (last[0] >= '0' && last[0] <= '9') || std::ranges::find(kInternalNames, last) != kInternalNames.end();
}

/// `*` stands for any characters.
bool matches(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in = 0, star = std::string_view::npos, retry = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      retry = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

/// The Engine searches its images for a name that is the beginning of an id.
bool mayBeId(std::string_view image) {
  return image.starts_with("sha256:") || image.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The name with registry and tag.
std::string inFull(const std::string& image) {
  std::string full = image;
  if (registryOf(image) == kHub && !image.starts_with("docker.io/"))
    full = format("{}/{}{}", kHub, image.find('/') == std::string::npos ? "library/" : "", image);
  const auto name = full.rfind('/') + 1;
  if (full.find_first_of(":@", name) == std::string::npos) full += ":latest";
  return full;
}

}  // namespace

std::string registryOf(std::string_view image) {
  auto slash = image.find('/');
  std::string_view first = image.substr(0, slash == std::string_view::npos ? 0 : slash);
  bool is_host = first.find_first_of(".:[") != std::string_view::npos || first == "localhost" ||
                 std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
  return std::string(is_host ? first : kHub);
}

bool matchesAny(const std::string& image, const std::vector<std::string>& patterns) {
  if (mayBeId(image)) return std::ranges::find(patterns, image) != patterns.end();
  const std::string full = inFull(image);
  const std::string tagged = full.ends_with(":latest") && !image.ends_with(":latest") ? image + ":latest" : image;
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return matches(image, pattern) || matches(tagged, pattern) || matches(full, pattern); });
}

std::optional<Error> refusalOfUnlisted(const std::string& image, ImageChoice choice) {
  if (const std::string registry = registryOf(image); isInternalHost(registry))
    return refused(
        format("Images are not pulled from {}: it is an address, or a name of an internal network. An administrator can allow "
               "them (allowedImages of [common]).",
               registry));
  if (choice == ImageChoice::Any) return std::nullopt;
  return refused(
      format("The image {} is not among those that this server allows. Name no image to get the workspace image, or ask an "
             "administrator to allow this one (allowedImages of [common]).",
             image));
}

}  // namespace swarm
