// A found image is remembered for a short time, so that a create on a warm provider does not look for it again.
#include "provider/docker/resources/images.h"

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/text/format.h"
#include "provider/docker/spec/request_policy.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::seconds kImageMemory{30};
/// A registry that does not respond within this time counts as missing; a pull would wait longer.
constexpr std::chrono::seconds kRegistryPatience{20};

/// The image is not on the Engine and did not come from a registry either. `why` may be empty.
Error imageMissing(std::string_view image, std::string_view why = {}) {
  return Error(ErrorCode::Unprocessable,
               format("The image {} is not on the Docker Engine{}. Fetch it on the Engine's machine (docker pull {}, "
                      "or docker load for a file).",
                      image, why.empty() ? "" : format(" and could not be pulled: {}", why), image))
      .withField("/image", "not found");
}

Error localImageMissing(std::string_view image) {
  return Error(ErrorCode::Unprocessable,
               format("The image {} is not on the Docker Engine. Build it with images/workspace/build (scripts/up does).", image))
      .withField("/image", "not found");
}

}  // namespace

awaitable<void> Images::pull(std::string image, Progress& progress, Deadline deadline) {
  if (isLocalOnly(image, context_.config)) throw localImageMissing(image);
  checkImage(image, ImageChoice::Any, context_.config);  // a request was checked for what its user may choose
  progress.step(Step::PullImage);
  auto report = [&progress](std::string text, std::int64_t done, std::int64_t total) { progress.detail(std::move(text), done, total); };
  auto pulled = co_await async::attempt(context_.engine.pullImage(image, report, deadline));
  if (pulled) co_return;
  const Error& failure = pulled.error();
  bool is_transport = failure.code() == ErrorCode::DeadlineExceeded || failure.code() == ErrorCode::OutOfResources ||
                      (failure.code() == ErrorCode::Unavailable && failure.upstream().status == 0);
  if (is_transport) throw failure;
  throw imageMissing(image, engine::pullTrouble(failure.cause()))
      .withCause(failure.cause())
      .withUpstream(UpstreamFacts(failure.upstream()));
}

awaitable<ImageFacts> Images::ensure(std::string image, Progress& progress, Deadline deadline) {
  auto known = known_.find(image);
  if (known != known_.end() && known->second.until > std::chrono::steady_clock::now()) co_return known->second.facts;
  progress.step(Step::CheckImage);
  faultPoint("docker.create.image.before");
  auto found = engine::orNothing(co_await context_.engine.inspectImage(image, deadline));
  if (!found) {
    co_await pull(image, progress, deadline);
    found.emplace(orThrow(co_await context_.engine.inspectImage(image, deadline)));
  }
  faultPoint("docker.create.image.after");
  ImageFacts facts = readImage(*found);
  known_[image] = {std::chrono::steady_clock::now() + kImageMemory, facts};
  co_return facts;
}

/// Why an image that the Engine does not have cannot be pulled; nothing: it can.
awaitable<std::optional<Error>> Images::missing(std::string image, Deadline deadline) {
  if (isLocalOnly(image, context_.config)) co_return localImageMissing(image);
  if (auto refused = imageRefusal(image, ImageChoice::Any, context_.config)) co_return refused;
  auto queried = co_await async::attempt(context_.engine.findInRegistry(image, deadline.orAfter(kRegistryPatience)));
  if (!queried) {
    if (queried.error().code() != ErrorCode::DeadlineExceeded || deadline.hasPassed()) throw queried.error();
    co_return imageMissing(image, "its registry does not respond");
  }
  if (*queried) co_return std::nullopt;
  co_return imageMissing(image, engine::pullTrouble(queried->error().error.cause()));
}

awaitable<void> Images::preview(std::string image, PlacementPreview& preview, Deadline deadline) {
  preview.image = image;
  preview.imageFound = engine::orNothing(co_await context_.engine.inspectImage(image, deadline)).has_value();
  preview.imageDetail = format("The Docker Engine has the image {}.", image);
  if (preview.imageFound) co_return;
  std::optional<Error> trouble = co_await missing(image, deadline);
  preview.imageFound = !trouble;
  preview.imageDetail = trouble ? trouble->message() : format("The image {} is not on the Docker Engine yet and can be pulled.", image);
  if (trouble) preview.problems.push_back(trouble->message());
}

awaitable<void> Images::learnIds(std::set<std::string> names, Deadline deadline) {
  std::erase_if(ids_, [&](const auto& known) { return !names.contains(known.first); });
  for (const std::string& name : names) {
    auto found = co_await context_.engine.inspectImage(name, deadline);
    if (found) ids_[name] = stringAt(*found, "Id");
    if (!found && found.error().isNotFound()) ids_.erase(name);
  }
}

bool Images::isOutdated(const ProviderInstance& observed, const std::string& image) const {
  auto now = ids_.find(image);
  return now != ids_.end() && !observed.image.empty() && observed.image != now->second;
}

void Images::forgetAll() {
  known_.clear();
  ids_.clear();
}

}  // namespace swarm::docker
