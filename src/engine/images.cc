// Images: what the Engine has, and what it can pull.
#include "base/text/format.h"
#include "engine/client.h"

namespace swarm::engine {
namespace {

/// "registry:5000/team/image:tag" → name and tag; a digest stays in the name.
std::string pullTarget(const std::string& image) {
  std::string name = image;
  std::string tag;
  auto slash = image.rfind('/');
  auto colon = image.find(':', slash == std::string::npos ? 0 : slash);
  if (image.find('@') == std::string::npos) {
    tag = colon == std::string::npos ? "latest" : image.substr(colon + 1);
    name = image.substr(0, colon);
  }
  std::string target = "/images/create?fromImage=" + net::percentEncode(name);
  if (!tag.empty()) target += "&tag=" + net::percentEncode(tag);
  return target;
}

}  // namespace

awaitable<json::array> Client::listImages(Deadline deadline) {
  co_return co_await list({.target = "/images/json", .doing = "list images"}, deadline);
}

awaitable<Outcome<json::value>> Client::inspectImage(std::string image, Deadline deadline) {
  std::string target = format("/images/{}/json", net::percentEncode(image));
  co_return co_await query({.target = std::move(target), .doing = "look for the image"}, deadline);
}

awaitable<void> Client::pullImage(std::string image, PullReport report, Deadline deadline) {
  auto exchange = co_await transport_.open({.method = "POST", .target = pullTarget(image), .doing = "pull the image"}, deadline);
  LineReader lines;
  PullProgress layers;
  for (;;) {
    std::string piece = co_await exchange->read(deadline);
    if (piece.empty()) break;
    lines.add(piece);
    while (auto line = lines.next()) layers.read(*line, report);
  }
  if (!layers.error().empty()) throw Error(ErrorCode::UpstreamFailed, layers.error()).withCause(layers.error());
}

awaitable<Outcome<void>> Client::findInRegistry(std::string image, Deadline deadline) {
  std::string target = format("/distribution/{}/json", net::percentEncode(image));
  co_return co_await perform({.target = std::move(target), .doing = "query the image's registry"}, deadline);
}

awaitable<void> Client::importImage(std::string repository, std::string tag, std::string archive, Deadline deadline) {
  orThrow(co_await perform(
      {.method = "POST",
       .target = format("/images/create?fromSrc=-&repo={}&tag={}", net::percentEncode(repository), net::percentEncode(tag)),
       .doing = "import an image",
       .rawBody = std::move(archive),
       .contentType = "application/x-tar"},
      deadline));
}

}  // namespace swarm::engine
