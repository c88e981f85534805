// Create, list, show and update instances.
#include "api/handlers/handlers.h"
#include "api/http/entity_tags.h"
#include "api/http/fields.h"
#include "api/http/instance_text.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "model/rules/validation.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

/// Only an admin works for somebody else.
std::string ownerOf(const Call& call, const std::optional<std::string>& asked) {
  if (!asked || *asked == call.principal().user) return call.principal().user;
  if (!call.isAdmin()) throw Error(ErrorCode::PermissionDenied, "Only an admin can create a workspace for another user.");
  return *asked;
}

CreateRequest readCreateRequest(Call& call) {
  std::vector<FieldError> faults;
  auto body = readRequest<CreateInstanceRequest>(call.body(), faults);
  const std::vector<std::string> regions = body.regions.value_or(std::vector<std::string>());
  for (std::size_t i = 0; i < regions.size(); ++i)
    if (!isDnsLabel(regions[i])) faults.push_back({format("/regions/{}", i), "must be a region, like ams, or the name of a Docker host"});
  validateDecoded(body, faults);
  throwIfAny(std::move(faults));
  CreateRequest request;
  request.provider = body.provider;
  request.regions = regions;
  request.owner = ownerOf(call, body.owner);
  request.actor = call.principal().user;
  request.idempotencyKey = call.text("Idempotency-Key").value_or("");
  request.config = std::move(static_cast<InstanceConfig&>(body));
  return request;
}

InstanceQuery readQuery(const Call& call) {
  InstanceQuery query;
  if (auto status = call.text("status")) query.status = enumFromName<InstanceStatus>(*status);
  if (auto provider = call.text("provider")) query.provider = enumFromName<ProviderType>(*provider);
  query.name = call.text("name");
  query.labels = call.labels();
  query.limit = static_cast<std::size_t>(call.integer("limit").value_or(100));
  query.after = readCursor(call);
  query.owner = call.text("owner");
  if (call.isAdmin()) return query;
  if (query.owner && *query.owner != call.principal().user)
    throw Error(ErrorCode::PermissionDenied, "Only an admin can list the workspaces of another user.");
  query.owner = call.principal().user;
  return query;
}

void validateParts(const UpdateRequest& update, std::vector<FieldError>& faults) {
  if (update.resources) validateResources(*update.resources, faults, "/resources");
  if (update.network) validateNetwork(*update.network, faults, "/network");
  if (update.env) validateEnvironment(*update.env, faults, "/env");
  if (update.labels) validateLabels(*update.labels, faults, "/labels");
  if (update.metadata) validateMetadata(*update.metadata, faults, "/metadata");
}

void requireChange(const UpdateRequest& update) {
  if (update.resources || update.network || update.env || update.labels || update.metadata || update.refreshImage) return;
  throw Error(ErrorCode::InvalidArgument,
              "There is nothing to change: give resources, env, network, labels or metadata, or ask for refreshImage.");
}

/// Parts that are objects are merged into what the instance has: a changed CPU leaves the memory as it is.
UpdateRequest readUpdateRequest(const json::value& body, const Instance& current) {
  UpdateRequest update;
  ObjectReader reader(body);
  update.resources = reader.read<ResourceConfig>("resources", current.config.resources);
  update.network = reader.read<NetworkConfig>("network", current.config.network);
  update.env = reader.read<std::map<std::string, std::string>>("env");
  update.labels = reader.read<std::map<std::string, std::string>>("labels");
  update.metadata = reader.read<json::object>("metadata");
  validateParts(update, reader.faults());
  reader.finish();
  return update;
}

/// RFC 7396.
void mergePatch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null())
      target.get_object().erase(key);
    else
      mergePatch(target.get_object()[key], value);
  }
}

/// A JSON merge patch on the changeable part of the configuration: what it removes gets its default.
UpdateRequest readPatchRequest(const json::value& patch, const Instance& current) {
  const InstanceConfig& config = current.config;
  json::value merged = json::object{{"resources", toJson(config.resources)},
                                    {"network", toJson(config.network)},
                                    {"env", toJson(config.env)},
                                    {"labels", toJson(config.labels)},
                                    {"metadata", config.metadata}};
  ObjectReader named(patch);
  for (const auto& [name, part] : merged.as_object()) named.accept(name);
  named.finish();
  mergePatch(merged, patch);
  ObjectReader reader(std::move(merged));
  UpdateRequest update;
  if (named.has("resources")) update.resources = reader.read<ResourceConfig>("resources").value_or(ResourceConfig{});
  if (named.has("network")) update.network = reader.read<NetworkConfig>("network").value_or(NetworkConfig{});
  if (named.has("env")) update.env = reader.read<std::map<std::string, std::string>>("env").value_or(std::map<std::string, std::string>{});
  if (named.has("labels"))
    update.labels = reader.read<std::map<std::string, std::string>>("labels").value_or(std::map<std::string, std::string>{});
  if (named.has("metadata")) update.metadata = reader.read<json::object>("metadata").value_or(json::object{});
  validateParts(update, reader.faults());
  throwIfAny(std::move(reader.faults()));
  return update;
}

void appendSelected(std::string& out, const Instance& instance, const FieldSelection& fields) {
  if (fields.isWhole()) {
    appendJson(out, instance);
  } else {
    out += json::serialize(fields.apply(toJson(instance)));
  }
}

}  // namespace

std::string makeCursor(std::string_view id) { return toBase64Url(id); }

std::string readCursor(const Call& call) {
  auto cursor = call.text("cursor");
  if (!cursor) return {};
  auto id = fromBase64Url(*cursor);
  bool plain = id && !id->empty() && std::all_of(id->begin(), id->end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!plain) throw Error(ErrorCode::InvalidArgument, "The cursor is not one that this server gave.").withField("?cursor", "is not valid");
  return *id;
}

awaitable<Instance> requireInstance(Services& services, Call& call, Permission permission) {
  std::optional<Instance> instance = co_await services.controller.getInstance(call.argument());
  if (!instance || !canSee(call.principal(), instance->owner)) throw notFound("workspace", call.argument());
  if (!isAllowed(call.principal(), permission, instance->owner))
    throw Error(ErrorCode::PermissionDenied, "Your role does not allow this on the instance.").withInstance(instance->id);
  co_return std::move(*instance);
}

void requireAdmitted(const Call& call, const Instance& instance) {
  if (call.versions().admits(instance.version)) return;
  throw Error(ErrorCode::PreconditionFailed, format("Workspace {} is at version {}, which If-Match does not name; nothing was done.",
                                                    instance.config.name, instance.version))
      .withInstance(instance.id);
}

awaitable<Reply> createInstance(Services& services, Call& call) {
  InstanceAndOperation begun = co_await services.controller.createInstance(readCreateRequest(call));
  bool replayed = begun.replayed;
  std::string location = "/api/instances/" + begun.instance.id;
  Reply reply = co_await answerOperation(services, call, std::move(begun), 201);
  reply.headers.push_back({"Location", std::move(location)});
  if (replayed) reply.headers.push_back({"Idempotency-Replayed", "true"});
  co_return reply;
}

awaitable<Reply> listInstances(Services& services, Call& call) {
  FieldSelection fields = readFields(call);
  InstancePage page = co_await services.controller.listInstances(readQuery(call));
  Reply reply;
  reply.body.reserve(page.items.size() * 1400 + 64);
  reply.body += "{\"items\":[";
  for (const Instance& instance : page.items) {
    if (!reply.body.ends_with('[')) reply.body += ',';
    appendSelected(reply.body, instance, fields);
  }
  reply.body += ']';
  if (!page.next.empty()) reply.body += ",\"nextCursor\":\"" + makeCursor(page.next) + "\"";
  reply.body += '}';
  co_return reply;
}

awaitable<Reply> getInstance(Services& services, Call& call) {
  FieldSelection fields = readFields(call);
  Instance instance = co_await requireInstance(services, call, Permission::ReadOwn);
  Reply reply;
  appendSelected(reply.body, instance, fields);
  reply.headers.push_back({"ETag", entityTag(instance)});
  co_return reply;
}

namespace {

using ChangeReader = UpdateRequest (*)(const json::value&, const Instance&);

UpdateRequest readChange(Call& call, const Instance& current, ChangeReader read) {
  UpdateRequest update = read(call.body(), current);
  update.refreshImage = call.flag("refreshImage");
  requireChange(update);
  return update;
}

/// The body's change was merged with one version: another user's change in between means merging again.
awaitable<Reply> changeInstance(Services& services, Call& call, ChangeReader read) {
  if (call.flag("dryRun")) {
    Instance current = co_await requireInstance(services, call, Permission::WriteOwn);
    UpdatePlan plan = co_await services.controller.planUpdate(current.id, readChange(call, current, read));
    Reply reply = jsonReply(200, toJson(plan));
    reply.headers.push_back({"ETag", entityTag(current)});
    co_return reply;
  }
  const VersionCondition asked = call.versions();
  UpdateResult result;
  for (int attempt = 1;; ++attempt) {
    Instance current = co_await requireInstance(services, call, Permission::WriteOwn);
    UpdateRequest update = readChange(call, current, read);
    bool is_admitted = asked.admits(current.version);
    VersionCondition merged{.any = false, .versions = {}};
    if (is_admitted) merged.versions.push_back(current.version);
    try {
      result = co_await services.controller.updateInstance({current.id, merged}, std::move(update), call.principal().user);
      break;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::PreconditionFailed || !is_admitted || attempt == 3) throw;
    }
  }
  int status = 200;
  if (result.operation) {
    Operation settled = co_await settle(services, call, std::move(*result.operation));
    if (settled.status != OperationStatus::succeeded) {
      status = 202;
      result.instance.operationId = settled.id;
    } else if (auto now = co_await services.controller.getInstance(result.instance.id)) {
      result.instance = std::move(*now);
    }
  }
  json::value body = toJson(result.instance);
  body.get_object()["effect"] = result.effect;
  Reply reply = jsonReply(status, body);
  reply.headers.push_back({"ETag", entityTag(result.instance)});
  if (status == 202) reply.headers.push_back(operationLocation(result.instance.operationId));
  co_return reply;
}

}  // namespace

awaitable<Reply> updateInstance(Services& services, Call& call) { return changeInstance(services, call, readUpdateRequest); }
awaitable<Reply> patchInstance(Services& services, Call& call) { return changeInstance(services, call, readPatchRequest); }

}  // namespace swarm::api
