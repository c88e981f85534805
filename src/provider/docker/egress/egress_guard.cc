#include "provider/docker/egress/egress_guard.h"

#include <boost/asio/this_coro.hpp>

#include "async/attempt.h"
#include "base/diagnostics/fault.h"
#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "base/text/untrusted_text.h"

namespace swarm::docker {
namespace {

constexpr std::chrono::seconds kRemovalTimeout{15};
constexpr std::chrono::seconds kCountedFor{3};
constexpr int kMaxHelperTries = 2;
constexpr std::int64_t kHelperMemory = 64 * kMib;
constexpr std::string_view kHelperName = "swarm-egress-";
constexpr std::string_view kEgressHelper = "egress";

/// $1: the id of the rules, or empty; $2: the rules. The last line is what was found, as EgressRules.
constexpr std::string_view kSetScript = R"(
command -v nft >/dev/null || exit 127
[ -z "$1" ] || ! nft list chain inet swarm "$1" >/dev/null 2>&1 || { echo stood; exit 0; }
found=new
nft list table inet swarm >/dev/null 2>&1 && found=changed
nft "$2" || exit 1
echo $found)";
constexpr std::string_view kCountScript = "nft list counter inet swarm denied";
constexpr std::string_view kAddressScript = "ip -o addr show";
constexpr std::string_view kResolverScript = "cat /etc/resolv.conf";

std::vector<std::string> scriptOf(std::string_view script, std::vector<std::string> arguments = {}) {
  std::vector<std::string> command{"-c", std::string(script), "swarm-egress"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

/// The words of a text, by blanks and ends of lines.
std::vector<std::string_view> wordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t\r\n\\";
  for (std::size_t begin = text.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(blanks, end);
  }
  return words;
}

/// The words after each of `keys`, as single addresses.
std::vector<EgressTarget> addressesAfter(std::string_view text, std::initializer_list<std::string_view> keys) {
  std::vector<EgressTarget> found;
  const std::vector<std::string_view> words = wordsOf(text);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (std::ranges::find(keys, words[i]) == keys.end()) continue;
    const std::string_view word = words[i + 1];
    auto target = parseEgressTarget(word.substr(0, word.find_first_of("/%")));
    if (target && std::ranges::find(found, *target) == found.end()) found.push_back(std::move(*target));
  }
  return found;
}

json::object helperBody(const std::string& image, const std::string& network_mode, const std::vector<std::string>& command) {
  json::object host{{"NetworkMode", network_mode},
                    {"CapDrop", json::array{"ALL"}},
                    {"ReadonlyRootfs", true},
                    {"SecurityOpt", json::array{"no-new-privileges"}},
                    {"Memory", kHelperMemory},
                    {"MemorySwap", kHelperMemory},
                    {"PidsLimit", 32},
                    {"RestartPolicy", json::object{{"Name", "no"}}},
                    {"LogConfig", json::object{{"Type", "json-file"}, {"Config", json::object{{"max-size", "1m"}}}}}};
  if (network_mode == "host") host["UsernsMode"] = "host";  // the Engine requires that where it has user namespaces
  return {
      {"Image", image},    {"Entrypoint", json::array{"/bin/sh"}}, {"Cmd", json::array(command.begin(), command.end())}, {"User", "0:0"},
      {"WorkingDir", "/"}, {"HostConfig", std::move(host)}};
}

/// While it exists, the helper of that name is not a leftover.
class RunningHelper {
 public:
  RunningHelper(std::set<std::string>& names, std::string name) : names_(names), name_(std::move(name)) { names_.insert(name_); }
  ~RunningHelper() { names_.erase(name_); }
  RunningHelper(const RunningHelper&) = delete;
  RunningHelper& operator=(const RunningHelper&) = delete;

 private:
  std::set<std::string>& names_;
  std::string name_;
};

std::string helperOf(const std::string& container) { return std::string(kHelperName) + container.substr(0, 12); }

}  // namespace

void EgressGuard::forgetAll() {
  standing_.clear();
  counted_.clear();
  machine_.reset();
}

awaitable<std::string> EgressGuard::create(const Helper& helper, Deadline deadline) {
  const std::string& image = context_.config.workspaceImage;
  if (image.empty())
    throw Error(ErrorCode::Unprocessable,
                "The rules of a network are set by the workspace image's nft, and no workspace image is configured.");
  json::object body = helperBody(image, helper.networkMode, helper.command);
  if (helper.capability == Helper::Capability::NetAdmin) body["HostConfig"].as_object()["CapAdd"] = json::array{"NET_ADMIN"};
  json::object labels;
  for (const auto& [key, value] : context_.config.tags) labels[key] = value;
  labels[kLabelSwarm] = context_.swarmId;
  labels[kLabelHelper] = kEgressHelper;
  labels[kLabelInstance] = "";  // a container inherits the labels of its image that it does not set
  body["Labels"] = std::move(labels);
  const json::value wanted(std::move(body));
  for (int fetched = 0;;) {
    faultPoint("docker.egress.create.before");
    auto made = co_await context_.engine.createContainer(helper.name, wanted, "", deadline);
    faultPoint("docker.egress.create.after");
    if (made) co_return std::move(*made);
    if (made.error().reason == Refusal::NameTaken && fetched++ < kMaxHelperTries) {
      co_await context_.engine.removeContainer(helper.name, engine::AnonymousVolumes::Remove, deadline);  // of a server that was killed
    } else if (made.error().reason == Refusal::NoImage && fetched++ < kMaxHelperTries) {
      NoProgress progress;
      images_.forget(image);
      co_await images_.ensure(image, progress, deadline);
    } else {
      throw made.error().error;
    }
  }
}

awaitable<std::string> EgressGuard::runOnce(const Helper& helper, Deadline deadline) {
  const std::string id = co_await create(helper, deadline);
  orThrow(co_await context_.engine.startContainer(id, deadline));
  faultPoint("docker.egress.started");
  const auto exit_code = co_await context_.engine.awaitExit(id, deadline);
  auto frames = orThrow(co_await context_.engine.readLogs(id, {}, deadline));
  std::string text;
  for (const auto& frame : frames) text += frame.data;
  if (helper.capability == Helper::Capability::NetAdmin) works_ = exit_code == 0;
  if (exit_code == 0) co_return text;
  std::string why = exit_code == 127
                        ? format("the image {} has no nft; build it again (images/workspace/build)", context_.config.workspaceImage)
                        : printable(text, kMaxUntrustedText);
  throw Error(ErrorCode::Unprocessable, format("The rules of the workspace's network could not be set: {}.", why));
}

awaitable<std::string> EgressGuard::run(Helper helper, Deadline deadline) {
  const RunningHelper running(running_, helper.name);
  auto printed = co_await async::attempt(runOnce(helper, deadline));
  faultPoint("docker.egress.remove.before");
  auto removed = co_await async::attempt(
      context_.engine.removeContainer(helper.name, engine::AnonymousVolumes::Remove, Deadline::after(kRemovalTimeout)));
  if (!removed)
    log::warning("a helper container could not be removed yet", {{"container", helper.name}, {"error", removed.error().message()}});
  if (!printed) throw printed.error();
  co_return std::move(*printed);
}

awaitable<EgressGuard::Machine> EgressGuard::machine(Deadline deadline) {
  auto guard = co_await locks_.acquire("machine", deadline);
  if (machine_) co_return *machine_;
  Machine found;
  const std::string name = std::string(kHelperName) + context_.swarmId;
  found.addresses = addressesAfter(co_await run({name + "-addresses", "host", scriptOf(kAddressScript)}, deadline), {"inet", "inet6"});
  auto resolvers = co_await async::attempt(run({name + "-resolvers", "bridge", scriptOf(kResolverScript)}, deadline));
  if (resolvers) found.resolvers = addressesAfter(*resolvers, {"nameserver"});
  if (!resolvers) log::warning("DNS servers of an Engine are not known", {{"error", resolvers.error().message()}});
  machine_ = found;
  co_return found;
}

awaitable<EgressSurroundings> EgressGuard::surroundingsOf(ContainerDetails container, Deadline deadline) {
  Machine known = co_await machine(deadline);
  EgressSurroundings surroundings{std::move(known.addresses), std::move(known.resolvers), {}};
  if (container.networkId.empty()) co_return surroundings;
  auto network = engine::orNothing(co_await context_.engine.inspectNetwork(container.networkId, deadline));
  if (!network) co_return surroundings;
  for (const json::value& range : arrayAt(*network, "IPAM.Config")) {
    if (auto gateway = parseEgressTarget(stringAt(range, "Gateway"))) surroundings.machine.push_back(std::move(*gateway));
    if (auto subnet = parseEgressTarget(stringAt(range, "Subnet"))) surroundings.peers.push_back(std::move(*subnet));
  }
  co_return surroundings;
}

awaitable<ContainerDetails> EgressGuard::requireRunning(PlaceId place_id, Deadline deadline) {
  ContainerDetails container = co_await index_.require(place_id, deadline);
  if (container.status == ContainerStatus::running) co_return container;
  throw Error(ErrorCode::Conflict, format("The workspace does not run (its container is {}).", toString(container.status)))
      .withInstance(place_id.str());
}

awaitable<EgressRules> EgressGuard::setRules(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  const std::vector<EgressLimit> limits = egressLimits(network, context_.config);
  ContainerDetails container = co_await requireRunning(std::move(place_id), deadline);
  EgressSurroundings surroundings;
  if (strictestOf(limits) != EgressPolicy::open) surroundings = co_await surroundingsOf(container, deadline);
  const EgressRuleset rules = egressRuleset(limits, surroundings);
  auto guard = co_await locks_.acquire(container.id, deadline);
  const auto known = standing_.find(container.id);
  const bool stands = known != standing_.end() && known->second.startedAt == container.instance.startedAt && known->second.id == rules.id;
  if (stands) co_return EgressRules::Stood;
  standing_.erase(container.id);
  counted_.erase(container.id);
  const std::string printed = co_await run(
      {helperOf(container.id), "container:" + container.id, scriptOf(kSetScript, {rules.id, rules.text}), Helper::Capability::NetAdmin},
      deadline);
  const std::vector<std::string_view> words = wordsOf(printed);
  const std::string_view found = words.empty() ? "" : words.back();
  faultPoint("docker.egress.set");
  standing_[container.id] = {container.instance.startedAt, rules.id};
  log::info("rules of a network were set", {{"container", container.id}, {"rules", rules.id}, {"found", found}});
  co_return found == "stood" ? EgressRules::Stood : found == "changed" ? EgressRules::Changed : EgressRules::New;
}

awaitable<std::int64_t> EgressGuard::countDenied(PlaceId place_id, Deadline deadline) {
  const ContainerDetails container = co_await requireRunning(std::move(place_id), deadline);
  auto guard = co_await locks_.acquire(container.id, deadline);
  if (auto known = counted_.find(container.id); known != counted_.end() && known->second.until > std::chrono::steady_clock::now())
    co_return known->second.denied;
  const std::string printed =
      co_await run({helperOf(container.id), "container:" + container.id, scriptOf(kCountScript), Helper::Capability::NetAdmin}, deadline);
  const std::vector<std::string_view> words = wordsOf(printed);
  const auto packets = std::ranges::find(words, "packets");
  const bool is_number = packets != words.end() && packets + 1 != words.end();
  const std::int64_t denied = is_number ? parseNumber<std::int64_t>(*(packets + 1)).value_or(0) : 0;
  counted_[container.id] = {std::chrono::steady_clock::now() + kCountedFor, denied};
  co_return denied;
}

awaitable<std::string> EgressGuard::rehearse(Deadline deadline) {
  const std::vector<EgressLimit> limits{{"instance", EgressPolicy::standard, {}}};
  const EgressRuleset rules = egressRuleset(limits, {});
  const std::string name = format("{}{}-check", kHelperName, context_.swarmId);
  auto guard = co_await locks_.acquire(name, deadline);
  co_await run({name, "none", scriptOf(kSetScript, {rules.id, rules.text}), Helper::Capability::NetAdmin}, deadline);
  const Machine known = co_await machine(deadline);
  co_return format("rules can be set in the networks of workspaces; the machine has {} addresses and {} DNS servers",
                   known.addresses.size(), known.resolvers.size());
}

awaitable<void> EgressGuard::removeLeftovers(Deadline deadline) {
  json::array helpers =
      co_await context_.engine.listContainers(ownFilter(context_, format("{}={}", kLabelHelper, kEgressHelper)), deadline);
  for (const json::value& helper : helpers) {
    const std::vector<std::string> names = textsAt(helper, "Names");
    const std::string name = names.empty() ? "" : names.front().substr(names.front().starts_with('/') ? 1 : 0);
    if (running_.contains(name) || !labelOf(helper, kLabelInstance).empty()) continue;
    log::warning("a helper container was left behind; removing it", {{"container", name}});
    co_await context_.engine.removeContainer(stringAt(helper, "Id"), engine::AnonymousVolumes::Remove, deadline);
  }
}

}  // namespace swarm::docker
