// `swarm update`
#include "cli/output/progress.h"
#include "cli/output/quantities.h"
#include "cli/verbs/flags.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// `changes`: KEY=VALUE sets, KEY removes.
std::map<std::string, std::string> merged(std::map<std::string, std::string> into, const std::vector<std::string>& changes,
                                          const std::string& flag) {
  for (const std::string& change : changes) {
    if (change.find('=') == std::string::npos) {
      into.erase(change);
    } else {
      auto [key, value] = parseKeyValue(change, flag);
      into[key] = value;
    }
  }
  return into;
}

std::string lossText(const ReplacementLoss& loss) {
  if (loss.files == 0) return "Files outside of its volumes, such as installed packages, are lost.\n";  // this provider cannot count them
  std::vector<std::string> folders;
  for (const DroppedFolder& folder : loss.folders) folders.push_back(format("{} ({})", folder.path, countText(folder.files)));
  const bool one = loss.files == 1 && !loss.more;
  return format("{}{} outside of its volumes, such as installed packages, {} lost: {}.\n", loss.more ? "More than " : "",
                one ? "1 file" : countText(loss.files) + " files", one ? "is" : "are", joined(folders));
}

class Update final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("name", name_, "Name or id").suggest(workspaceNames());
    resources_.declare(arguments);
    arguments.option("-e,--env", env_, "KEY=VALUE sets, KEY removes; may be repeated").sets("/env");
    arguments.option("-l,--label", labels_, "KEY=VALUE sets, KEY removes; may be repeated").sets("/labels");
    arguments.option("-p,--port", ports_, "Published ports; replaces the list").sets("/network/exposedPorts");
    egress_.declare(arguments);
    security_.declare(arguments);
    arguments.flag("--refresh-image", refresh_image_,
                   "Recreate it from the current version of its image (`list` marks an older one with *)");
    arguments.flag("-y,--yes", yes_, "Do not ask for confirmation");
    wait_.declare(arguments);
  }

  int run(Context& context) override {
    if (!resources_.given() && !security_.given() && !egress_.given() && env_.empty() && labels_.empty() && ports_.empty() &&
        !refresh_image_)
      throw WrongUse("There is nothing to change: give --cpus, --memory, --env, --label, --port or --refresh-image, for example.");
    const Instance instance = requireInstance(context, name_);
    const UpdateOptions options = optionsFor(instance);
    if (!confirm(context, instance, options)) return kFailed;
    const UpdateOutcome outcome = context.client().updateInstance(name_, options);
    const bool waits = !wait_.noWait && !outcome.operationId.empty();
    if (waits) waitWithProgress(context, outcome.operationId, wait_.timeout);
    const Instance updated = reload(context, outcome.instance);
    if (waits) reportNotice(updated);
    if (printStructured(context, toJson(updated))) return kDone;
    if (resources_.givesDisk()) reportUnenforcedStorage(context, {outcome.instance});
    report(instance.config.name + " " + effectText(outcome, waits) + ".\n");
    return kDone;
  }

 private:
  UpdateOptions optionsFor(const Instance& instance) const {
    UpdateOptions options;
    options.ifVersion = instance.version;
    options.refreshImage = refresh_image_;
    if (resources_.given()) options.resources = resources_.patch();
    if (!env_.empty()) options.env = merged(instance.config.env, env_, "--env");
    if (!labels_.empty()) options.labels = merged(instance.config.labels, labels_, "--label");
    if (security_.given()) options.security = security_.patch();
    if (!ports_.empty() || egress_.given()) options.network.emplace();
    if (!ports_.empty()) options.network->exposedPorts = ports_;
    if (egress_.given()) options.network->egress = egress_.patch();
    return options;
  }

  /// Reports what the update will interrupt and discard.
  bool confirm(Context& context, const Instance& instance, const UpdateOptions& options) const {
    const bool only_labels = !options.resources && !options.env && !options.network && !options.security && !options.refreshImage;
    if (yes_ || only_labels) return true;
    const UpdatePlan plan = context.client().planUpdate(instance.id.str(), options);
    const bool running = instance.status == InstanceStatus::running;
    if (plan.effect != UpdateEffect::restart || (!running && plan.drops.files == 0)) return true;
    const std::string& name = instance.config.name;
    report(running ? format("{} must be restarted for this: all its processes end; files in its volumes are kept.\n", name)
                   : format("{} gets a new container for this; files in its volumes are kept.\n", name));
    if (plan.drops.files > 0 || plan.drops.more) report(lossText(plan.drops));
    return confirmed();
  }

  std::string effectText(const UpdateOutcome& outcome, bool waits) const {
    if (refresh_image_) return format("{} the current version of {}", waits ? "uses" : "is changing to", outcome.instance.config.image);
    if (outcome.effect == UpdateEffect::live) return "was changed while it runs";
    if (outcome.effect != UpdateEffect::restart) return "was changed";
    if (outcome.operationId.empty()) return "was changed; the change takes effect at its next start";
    return waits ? "was changed and restarted" : "is being changed and restarted";
  }

  std::string name_;
  ResourceFlags resources_;
  SecurityFlags security_;
  EgressFlags egress_;
  std::vector<std::string> env_, labels_;
  std::vector<std::int64_t> ports_;
  bool refresh_image_ = false;
  bool yes_ = false;
  WaitFlags wait_;
};

}  // namespace

void addUpdate(const AddVerb& add) {
  add({.name = "update",
       .summary = "Change resources, environment, ports or labels",
       .examples = {"swarm update web1 --cpus 4 --memory 8g --env DEBUG=1"}},
      std::make_unique<Update>());
}

}  // namespace swarm::cli
