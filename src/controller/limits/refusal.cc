#include "controller/limits/refusal.h"

#include "base/text/format.h"

namespace swarm::control {
namespace {

constexpr std::size_t kNamed = 3;

/// "2.5", "4096 MiB"
std::string shortText(Resource resource, std::int64_t amount) {
  switch (resource) {
    case Resource::instances:
      return format("{}", amount);
    case Resource::cpu:
      return format("{:g} core{}", static_cast<double>(amount) / 1000, amount == 1000 ? "" : "s");
    case Resource::memory:
      return format("{} MiB", amount);
    case Resource::storage:
      break;
  }
  return format("{} GiB", amount);
}

std::string_view remedyFor(Resource resource) {
  switch (resource) {
    case Resource::instances:
      return "Delete a workspace";
    case Resource::cpu:
    case Resource::memory:
      return "Stop a workspace, request less";
    case Resource::storage:
      break;
  }
  return "Delete a workspace with its volumes or a snapshot, request less";
}

bool countsIn(const Claim& claim, const Bound& bound) {
  const std::vector<Account> accounts = accountsOf(claim);
  return std::ranges::any_of(accounts, [&](const Account& one) { return std::ranges::count(bound.accounts, one) > 0; });
}

/// " The largest are web1 (8192 MiB) and db (4096 MiB)."; empty when the actor may see none.
std::string largestText(const Bound& bound, const Registry& registry, const Actor& actor) {
  if (bound.resource == Resource::instances) return {};  // they are equal
  std::map<InstanceId, std::int64_t> amounts;
  for (const auto& [place, claim] : registry.ledger()->claims())
    if (countsIn(claim, bound)) amounts[registry.instanceOfPlace(place)] += amountOf(claim.owned + claim.lent, bound.resource);
  std::vector<std::pair<std::int64_t, std::string>> seen;
  for (const auto& [id, amount] : amounts) {
    const EntryPtr entry = registry.find(id);
    if (amount > 0 && entry && actor.sees(entry->instance())) seen.emplace_back(amount, entry->instance().config.name);
  }
  std::ranges::sort(seen, [](const auto& a, const auto& b) { return a.first > b.first || (a.first == b.first && a.second < b.second); });
  if (seen.size() > kNamed) seen.resize(kNamed);
  std::string text;
  for (const auto& [amount, name] : seen) text += format("{}{} ({})", text.empty() ? "" : ", ", name, shortText(bound.resource, amount));
  return text.empty() ? text : format(" Largest: {}.", text);
}

}  // namespace

std::string amountText(Resource resource, std::int64_t amount) {
  switch (resource) {
    case Resource::instances:
      return format("{} workspace{}", amount, amount == 1 ? "" : "s");
    case Resource::cpu:
      return shortText(resource, amount);
    case Resource::memory:
      return format("{} of memory", shortText(resource, amount));
    case Resource::storage:
      break;
  }
  return format("{} of storage", shortText(resource, amount));
}

Error refusal(const Excess& excess, const Registry& registry, const Actor& actor) {
  const auto& [bound, used, requested] = excess;
  const std::int64_t free = std::max<std::int64_t>(bound.limit - used, 0);
  return Error(ErrorCode::Conflict,
               format("{} is {}: {} in use, {} more requested, {} would fit.{} {}, or ask an administrator to raise the limit ({}).",
                      bound.title, amountText(bound.resource, bound.limit), shortText(bound.resource, used),
                      shortText(bound.resource, requested), free == 0 ? "nothing" : shortText(bound.resource, free),
                      largestText(bound, registry, actor), remedyFor(bound.resource), bound.source));
}

void requireWithin(const ResourceLimits& limits, const Amounts& present, const Amounts& after) {
  constexpr std::string_view kFields[] = {"", "/resources/cpu", "/resources/memory/max", "/resources/storage/size"};
  for (const Resource resource : {Resource::cpu, Resource::memory, Resource::storage}) {
    const std::int64_t limit = limitOf(limits, resource).value_or(0), amount = amountOf(after, resource);
    if (limit == 0 || amount <= limit || amount <= amountOf(present, resource)) continue;
    const std::string message =
        format("A workspace has at most {} on this server ([limits.instance] of its configuration); this one would have {}.",
               amountText(resource, limit), shortText(resource, amount));
    throw Error(ErrorCode::Unprocessable, message).withField(std::string(kFields[static_cast<std::size_t>(resource)]), message);
  }
}

}  // namespace swarm::control
