// `swarm quota` and its parts
#include "base/text/json_access.h"
#include "cli/verbs/results.h"
#include "cli/verbs/verb.h"
#include "model/codec/codec.h"

namespace swarm::cli {
namespace {

namespace json = boost::json;

/// "user ada at docker", "docker (box2)"
std::string titleOf(const json::value& row) {
  const std::string scope = memberText(row, "scope"), provider = memberText(row, "provider"), name = memberText(row, "name");
  if (scope == "swarm") return "server";
  if (scope == "instance") return "each workspace";
  if (scope == "provider") return provider;
  if (scope == "region") return format("{} ({})", provider, name);
  return format("{} {}{}", scope, name, provider.empty() ? "" : " at " + provider);
}

std::string numberText(const json::value& number) {
  return number.is_double() ? format("{:g}", number.get_double()) : json::serialize(number);
}

/// "4096/8192", "4096" without a limit, "-/8192" for each of several.
std::string useText(const json::value& row, std::string_view resource) {
  const json::object& limits = row.at("limits").as_object();
  const json::value* used = row.as_object().if_contains("used");
  const json::value* limit = limits.if_contains(resource);
  const bool is_limited = limit && limit->to_number<double>() > 0;
  std::string text = used ? numberText(used->at(resource)) : is_limited ? "-" : "";
  return is_limited ? format("{}/{}", text, numberText(*limit)) : text;
}

void printQuotas(Context& context, const json::array& quotas) {
  std::vector<Listed> rows;
  for (const auto& row : quotas)
    rows.push_back(
        {titleOf(row), {titleOf(row), useText(row, "instances"), useText(row, "cpu"), useText(row, "memory"), useText(row, "storage")}});
  printList(context, quotas, {"OF", "WORKSPACES", "CORES", "MEMORY (MIB)", "STORAGE (GIB)"}, rows);
}

int listQuotas(Context& context) {
  printQuotas(context, context.client().listQuotas());
  return kDone;
}

/// The words that name whose quota it is.
class OfSubject : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("kind", kind_, "user; group: its members together; member: each member of a group; role: each user of a role")
        .oneOf({"user", "group", "member", "role"});
    arguments.word("name", name_, "Name of the user, group or role").suggest(userNames());
  }

 protected:
  QuotaSubject subject() const { return {*enumFromName<QuotaKind>(kind_), name_}; }
  std::string title() const { return format("{} {}", kind_, name_); }

 private:
  std::string kind_, name_;
};

class QuotaShow final : public OfSubject {
 public:
  int run(Context& context) override {
    const json::array quotas = context.client().getQuota(subject());
    if (printStructured(context, quotas)) return kDone;
    printQuotas(context, quotas);
    for (const auto& row : quotas) {
      const json::value* sources = row.as_object().if_contains("sources");
      if (sources)
        for (const auto& [resource, source] : sources->as_object())
          printLine(format("{}: {} is decided by {}", titleOf(row), std::string_view(resource), std::string_view(source.as_string())));
    }
    return kDone;
  }
};

class QuotaSet final : public OfSubject {
 public:
  void declare(Arguments& arguments) override {
    OfSubject::declare(arguments);
    arguments.option("--workspaces", limits_.instances, "Workspaces that exist; 0: no limit").sets("/limits/instances");
    arguments.option("--cpus", limits_.cpu, "Cores of workspaces that run; 0: no limit").sets("/limits/cpu");
    arguments.memory("--memory", limits_.memory, "Memory of workspaces that run, like 16g; 0: no limit").sets("/limits/memory");
    arguments.option("--disk,--storage", limits_.storage, "GiB of all volumes, snapshots included; 0: no limit").sets("/limits/storage");
  }

  int run(Context& context) override {
    if (limits_ == ResourceLimits()) throw WrongUse("Name a limit: --workspaces, --cpus, --memory or --storage.");
    // Limits that are not named stay.
    ResourceLimits limits;
    for (const auto& row : context.client().getQuota(subject()))
      if (const json::value* present = row.as_object().if_contains("quota"))
        limits = fromJson<ResourceLimits>(*present, UnknownFields::Ignore);
    if (limits_.instances) limits.instances = limits_.instances;
    if (limits_.cpu) limits.cpu = limits_.cpu;
    if (limits_.memory) limits.memory = limits_.memory;
    if (limits_.storage) limits.storage = limits_.storage;
    context.client().setQuota(subject(), limits);
    printQuotas(context, context.client().getQuota(subject()));
    return kDone;
  }

 private:
  ResourceLimits limits_;
};

class QuotaRemove final : public OfSubject {
 public:
  int run(Context& context) override {
    context.client().removeQuota(subject());
    report(format("The quota of {} was removed.\n", title()));
    return kDone;
  }
};

}  // namespace

void addQuota(const AddVerb& add) {
  addListVerb(
      add,
      {.name = "quota",
       .summary = "List limits and what is held; show, set and remove quotas",
       .examples = {"swarm quota", "swarm quota show user ada", "swarm quota set user ada --memory 16g --workspaces 5"},
       .notes = "A cell shows what is held and the limit. For a user, the first of these that names a limit decides: the quota of the "
                "user, the largest of the members of their groups, that of their role, the server's configuration."},
      listQuotas);
  add({.name = "quota show",
       .summary = "Show the limits of a user, group or role, and what decides them",
       .examples = {"swarm quota show user ada", "swarm quota show group devs"}},
      std::make_unique<QuotaShow>());
  add({.name = "quota set",
       .summary = "Set limits of a user, group or role; those that are not named stay",
       .examples = {"swarm quota set user ada --memory 16g --workspaces 5", "swarm quota set group devs --cpus 64",
                    "swarm quota set role user --storage 50"}},
      std::make_unique<QuotaSet>());
  add({.name = "quota remove", .summary = "Remove the quota of a user, group or role", .examples = {"swarm quota remove user ada"}},
      std::make_unique<QuotaRemove>());
}

}  // namespace swarm::cli
