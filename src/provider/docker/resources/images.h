// Images: finds, pulls and previews images, and knows the ids that their names stand for.
#pragma once

#include <map>
#include <set>
#include <string>

#include "provider/docker/docker_context.h"
#include "provider/docker/spec/image_agent.h"

namespace swarm::docker {

class Images {
 public:
  explicit Images(DockerContext& context) : context_(context) {}

  /// The image's facts; it is pulled when the Engine does not have it. Throws Error(Unprocessable) when there is no such image.
  awaitable<ImageFacts> ensure(std::string image, Progress& progress, Deadline deadline);
  /// What ensure() would find, without pulling.
  awaitable<void> preview(std::string image, PlacementPreview& preview, Deadline deadline);

  /// One call for each name, independent of how many containers were made from it: a moved tag causes no event of a container.
  awaitable<void> learnIds(std::set<std::string> names, Deadline deadline);
  bool isOutdated(const ProviderInstance& observed, const std::string& image) const;  ///< by the ids learned last

  void forget(const std::string& image) { known_.erase(image); }
  void forgetId(const std::string& image) { ids_.erase(image); }
  void forgetAll();

 private:
  struct Known {
    SteadyTime until{};
    ImageFacts facts;
  };
  awaitable<void> pull(std::string image, Progress& progress, Deadline deadline);
  awaitable<std::optional<Error>> missing(std::string image, Deadline deadline);

  DockerContext& context_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::string> ids_;  ///< of the names that containers of the last list were made from
};

}  // namespace swarm::docker
