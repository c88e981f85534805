// Create, list, show and change instances.
#include "api/handlers/handlers.h"
#include "api/http/entity_tags.h"
#include "api/http/fields.h"
#include "api/http/instance_text.h"
#include "api/http/recording.h"
#include "api/routes/route_parts.h"
#include "async/attempt.h"
#include "auth/accounts/accounts.h"
#include "auth/accounts/names.h"
#include "auth/entry.h"
#include "base/id.h"
#include "base/not_found.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "model/rules/validation.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kHidden = "***";

awaitable<std::string> ownerOf(Services& services, const Call& call, std::optional<std::string> owner) {
  if (!owner || *owner == call.principal().user) co_return call.principal().user;
  if (!isAllowed(call.principal(), Permission::Create, Relation::Other))
    throw Error(ErrorCode::PermissionDenied, "You are not allowed to create a workspace for another user.");
  if (!co_await services.auth.accounts().find(*owner)) throw unknownOwner(*owner);
  co_return *owner;
}

/// Applies the limits of the access token of the request. A volume of another name may have the files of any workspace.
void limitToToken(const Call& call, CreateRequest& request) {
  const auto& token = call.principal().token;
  if (!token) return;
  const bool is_limited = !token->namePrefix.empty() || token->maxInstances > 0;
  if (is_limited && request.owner != token->owner)
    throw Error(ErrorCode::PermissionDenied, "This access token creates workspaces only for its owner.")
        .withField("/owner", "is another user");
  if (!covers(call.principal(), request.config.name))
    throw Error(ErrorCode::PermissionDenied,
                format("This access token creates only workspaces whose names begin with \"{}\".", token->namePrefix))
        .withField("/name", "has another prefix");
  const bool has_named_volume = std::ranges::any_of(request.config.storage, [](const auto& one) { return !one.volumeName.empty(); });
  // What a workspace runs when it starts reads the files of its volumes.
  const bool may_enter = isAllowed(call.principal(), Permission::Configure, request.owner);
  if (has_named_volume && (!token->namePrefix.empty() || !may_enter))
    throw Error(ErrorCode::PermissionDenied, "This access token cannot attach a volume by name.").withField("/storage", "names a volume");
  request.namePrefix = token->namePrefix;
  request.maxInstances = token->maxInstances;
}

awaitable<CreateRequest> readCreateRequest(Services& services, Call& call) {
  std::vector<FieldError> faults;
  auto body = readRequest<CreateInstanceRequest>(call.body(), faults);
  if (body.regions) body.network.regions = std::move(*body.regions);
  validateDecoded(body, faults);
  throwIfAny(std::move(faults));
  CreateRequest request;
  request.provider = body.provider;
  request.owner = co_await ownerOf(services, call, body.owner);
  request.actor = actorOf(call);
  request.idempotencyKey = call.text("Idempotency-Key").value_or("");
  request.imageChoice = imageChoiceOf(call.principal());
  request.config = std::move(static_cast<InstanceConfig&>(body));
  limitToToken(call, request);
  co_return request;
}

void validateParts(const UpdateRequest& update, std::vector<FieldError>& faults) {
  if (update.resources) validateResources(*update.resources, faults, "/resources");
  if (update.network) validateNetwork(*update.network, faults, "/network");
  if (update.env) validateEnvironment(*update.env, faults, "/env");
  if (update.labels) validateLabels(*update.labels, faults, "/labels");
  if (update.metadata) validateMetadata(*update.metadata, faults, "/metadata");
}

void requireChange(const UpdateRequest& update) {
  if (update.resources || update.network || update.env || update.labels || update.metadata || update.security || update.refreshImage)
    return;
  throw Error(ErrorCode::InvalidArgument,
              "There is nothing to change. Send resources, env, network, security, labels or metadata, or set refreshImage.");
}

/// The parts that `given` has. Members that are objects are merged into those of `base`.
UpdateRequest readParts(const json::value& given, const InstanceConfig& base) {
  UpdateRequest update;
  ObjectReader reader(given);
  update.resources = reader.read<ResourceConfig>("resources", base.resources);
  update.network = reader.read<NetworkConfig>("network", base.network);
  update.env = reader.read<std::map<std::string, std::string>>("env");
  update.labels = reader.read<std::map<std::string, std::string>>("labels");
  update.metadata = reader.read<json::object>("metadata");
  update.security = reader.read<SecurityConfig>("security", base.security);
  validateParts(update, reader.faults());
  reader.finish();
  return update;
}

/// A changed CPU leaves the memory unchanged.
UpdateRequest readUpdateRequest(const json::value& body, const Instance& current) { return readParts(body, current.config); }

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

/// A JSON merge patch of the changeable parts of the configuration: members that it removes get their default.
UpdateRequest readPatchRequest(const json::value& patch, const Instance& current) {
  const InstanceConfig& config = current.config;
  json::value merged =
      json::object{{"resources", toJson(config.resources)}, {"network", toJson(config.network)}, {"env", toJson(config.env)},
                   {"labels", toJson(config.labels)},       {"metadata", config.metadata},       {"security", toJson(config.security)}};
  mergePatch(merged, patch);
  if (!patch.is_object()) return readParts(patch, {});
  json::object given;
  for (const auto& [name, part] : patch.get_object()) {
    const json::value* result = merged.get_object().if_contains(name);
    given[name] = result ? *result : json::object();
  }
  return readParts(given, {});
}

void appendSelected(std::string& out, const Instance& instance, const FieldSelection& fields) {
  if (fields.isWhole()) {
    appendJson(out, instance);
  } else {
    out += json::serialize(fields.apply(toJson(instance)));
  }
}

awaitable<Reply> createInstance(Services& services, Call& call) {
  InstanceAndOperation started = co_await services.controller.createInstance(co_await readCreateRequest(services, call));
  bool replayed = started.replayed;
  std::string location = "/api/instances/" + started.instance.id.str();
  Reply reply = co_await respondWithOperation(services, call, std::move(started), 201);
  reply.headers.push_back({"Location", std::move(location)});
  if (replayed) reply.headers.push_back({"Idempotency-Replayed", "true"});
  co_return reply;
}

awaitable<Reply> listInstances(Services& services, Call& call) {
  FieldSelection fields = readFields(call);
  InstancePage page = co_await services.controller.listInstances(visibleInstances(call, call.query<ListInstancesQuery>()));
  Reply reply;
  reply.body.reserve(page.items.size() * 1400 + 64);
  reply.body += "{\"items\":[";
  for (Instance& instance : page.items) {
    hideSecrets(call, instance);
    if (!reply.body.ends_with('[')) reply.body += ',';
    appendSelected(reply.body, instance, fields);
  }
  reply.body += ']';
  if (!page.next.empty()) reply.body += ",\"nextCursor\":\"" + makeCursor(page.next.str()) + "\"";
  reply.body += '}';
  co_return reply;
}

awaitable<Reply> getInstance(Services& services, Call& call) {
  FieldSelection fields = readFields(call);
  Instance instance = co_await requireInstance(services, call, Permission::Read);
  hideSecrets(call, instance);
  Reply reply;
  appendSelected(reply.body, instance, fields);
  reply.headers.push_back({"ETag", entityTag(instance)});
  co_return reply;
}

using ChangeReader = UpdateRequest (*)(const json::value&, const Instance&);

UpdateRequest readChange(Call& call, const Instance& current, ChangeReader read) {
  UpdateRequest update = read(call.body(), current);
  const bool concerns_inside = update.env || update.network || update.security;
  if (concerns_inside && !isAllowed(call.principal(), Permission::Configure, current.owner, current.id))
    throw Error(ErrorCode::PermissionDenied, format("{} It concerns the environment, the network or the security of the workspace.",
                                                    refusalOf(call.principal(), Permission::Configure)))
        .withInstance(current.id.str());
  update.refreshImage = call.flag("refreshImage");
  requireChange(update);
  return update;
}

/// The change in the body is merged with one version of the instance; after a concurrent change it is merged again.
awaitable<Reply> changeInstance(Services& services, Call& call, ChangeReader read) {
  if (call.flag("dryRun")) {
    Instance current = co_await requireInstance(services, call, Permission::Manage);
    UpdatePlan plan = co_await services.controller.planUpdate(current.id.str(), readChange(call, current, read));
    Reply reply = jsonReply(200, toJson(plan));
    reply.headers.push_back({"ETag", entityTag(current)});
    co_return reply;
  }
  const VersionCondition admitted = call.versions();
  UpdateResult result;
  for (int tries = 1;; ++tries) {
    Instance current = co_await requireInstance(services, call, Permission::Manage);
    UpdateRequest update = readChange(call, current, read);
    bool is_admitted = admitted.admits(current.version);
    VersionCondition merged{.any = false, .versions = {}};
    if (is_admitted) merged.versions.push_back(current.version);
    auto changed =
        co_await async::attempt(services.controller.updateInstance({current.id.str(), merged}, std::move(update), actorOf(call)));
    if (changed) {
      result = std::move(*changed);
      break;
    }
    if (changed.error().code() != ErrorCode::PreconditionFailed || !is_admitted || tries == 3) throw std::move(changed).error();
  }
  int status = 200;
  if (result.operation) {
    Operation settled = co_await settle(services, call, std::move(*result.operation));
    if (settled.status != OperationStatus::succeeded) {
      status = 202;
      result.instance.operationId = settled.id;
    } else if (auto now = co_await services.controller.getInstance(result.instance.id.str())) {
      result.instance = std::move(*now);
    }
  }
  hideSecrets(call, result.instance);
  json::value body = toJson(result.instance);
  body.get_object()["effect"] = enumName(result.effect);
  Reply reply = jsonReply(status, body);
  reply.headers.push_back({"ETag", entityTag(result.instance)});
  if (status == 202) reply.headers.push_back(operationLocation(result.instance.operationId));
  co_return reply;
}

awaitable<Reply> updateInstance(Services& services, Call& call) { return changeInstance(services, call, readUpdateRequest); }
awaitable<Reply> patchInstance(Services& services, Call& call) { return changeInstance(services, call, readPatchRequest); }

Parameter selectedFields() { return text("fields", "Members to return, comma-separated: id,status,config.name", 1024); }

Endpoint changeRoute(std::string_view method, std::string_view operation_id, std::string_view summary, std::string_view description,
                     Handler handler, Body body) {
  return at(
      method, "/api/instances/{id}", Permission::Manage, operation_id, handler,
      {.summary = summary,
       .description = description,
       .responses = {ok("Done; see `effect`. For a dryRun, an UpdatePlan", "UpdatedInstanceOrPlan", {"ETag"}), accepted("UpdatedInstance")},
       .problems = {409, 422, 503},
       .parameters = {instanceRef(), ifMatch(),
                      flag("dryRun", "Change nothing, and return the plan: a restart discards files outside of volumes"),
                      flag("refreshImage", "Recreate it from the current version of config.image; the body may be {}"), waitSeconds()},
       .body = body});
}

}  // namespace

std::string makeCursor(std::string_view id) { return toBase64Url(id); }

std::string readCursor(const Call& call) {
  auto cursor = call.text("cursor");
  if (!cursor) return {};
  auto id = fromBase64Url(*cursor);
  bool plain = id && !id->empty() && std::all_of(id->begin(), id->end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!plain)
    throw Error(ErrorCode::InvalidArgument, "The cursor is invalid. Use nextCursor of the previous page.")
        .withField("?cursor", "is invalid");
  return *id;
}

awaitable<Instance> requireInstance(Services& services, Call& call, Permission permission) {
  std::optional<Instance> instance = co_await services.controller.getInstance(call.argument());
  if (!instance || !canSee(call.principal(), instance->owner, instance->id) || !covers(call.principal(), instance->config.name))
    throw noSuchWorkspace(call.argument());
  requireAllowed(call, permission, instance->owner, instance->id);
  call.allowFor({permission, instance->id, instance->config.name});
  if (permission == Permission::Inside && isRecordedEntry(call.principal(), instance->owner, instance->id))
    logEntry(call.principal(), instance->owner, instance->id, call.route().operationId);
  if (permission == Permission::Inside) co_await recordEntry(services, call, *instance);
  co_return std::move(*instance);
}

void hideSecrets(const Call& call, Instance& instance) {
  if (isAllowed(call.principal(), Permission::Configure, instance.owner, instance.id)) return;
  for (auto& [name, value] : instance.config.env) value = kHidden;
  if (!instance.config.setup.empty()) instance.config.setup = kHidden;
}

ImageChoice imageChoiceOf(const Principal& principal) {
  return isAllowed(principal, Permission::ManageProviders, Relation::Other) ? ImageChoice::Any : ImageChoice::Allowed;
}

InstanceQuery visibleInstances(const Call& call, ListInstancesQuery listed) {
  InstanceQuery query{std::move(listed)};
  query.after = InstanceId(readCursor(call));
  query.namePrefix = namePrefixOf(call.principal());
  if (seesAll(call)) return query;
  query.reader = call.principal().user;
  if (const auto& grants = call.principal().grants)
    for (const auto& [instance, grant] : *grants) query.shared.insert(instance);
  return query;
}

Actor actorOf(const Call& call) {
  Actor actor(call.principal().user);
  actor.sees = [principal = call.principal()](const Instance& instance) {
    return canSee(principal, instance.owner, instance.id) && covers(principal, instance.config.name);
  };
  return actor;
}

bool seesAll(const Call& call) { return isAllowed(call.principal(), Permission::Read, Relation::Other); }

void requireAllowed(const Call& call, Permission permission, std::string_view owner, const InstanceId& instance) {
  const Relation relation = relationOf(call.principal(), owner, instance);
  if (isAllowed(call.principal(), permission, relation)) return;
  const bool is_shared = relation == Relation::SharedAsViewer || relation == Relation::SharedAsEditor;
  Error error(ErrorCode::PermissionDenied, !is_shared || call.principal().token
                                               ? std::string(refusalOf(call.principal(), permission))
                                               : format("The workspace is shared with you as {}, which does not allow this.",
                                                        relation == Relation::SharedAsEditor ? "editor" : "viewer"));
  throw instance.empty() ? error : std::move(error).withInstance(instance.str());
}

void requireAdmitted(const Call& call, const Instance& instance) {
  if (call.versions().admits(instance.version)) return;
  throw Error(ErrorCode::PreconditionFailed,
              format("Nothing was changed: workspace {} is at version {}, which If-Match does not name. Read it again.",
                     instance.config.name, instance.version))
      .withInstance(instance.id.str());
}

std::vector<Endpoint> instanceRoutes() {
  return {

      at("POST", "/api/instances", Permission::Create, "createInstance", createInstance,
         {.summary = "Create an instance",
          .description = "Every member may be absent: the server then chooses name, provider, image and size.",
          .responses = {{.status = 201,
                         .description = "It runs (with wait)",
                         .schema = "StartedInstance",
                         .headers = {"ETag", "Location", "Idempotency-Replayed"}},
                        accepted("StartedInstance", {"ETag", "Location", "Operation-Location", "Idempotency-Replayed"})},
          .problems = {409, 422, 503},
          .parameters = {waitSeconds(),
                         header("Idempotency-Key", "Makes a retry safe: the same key returns what the first request created", 255)},
          .body = jsonBody<CreateInstanceRequest>()}),
      at("GET", "/api/instances", Permission::Read, "listInstances", listInstances,
         {.summary = "List instances",
          .description = "Those that the caller may see, in the order of creation. With `fields`, only the named members. A page ends "
                         "after about 2 MiB, and may have fewer instances than `limit`.",
          .responses = {ok("A page", "InstanceListOrSelection")},
          .parameters = listParameters<ListInstancesQuery>({selectedFields()})}),
      at("GET", "/api/instances/{id}", Permission::Read, "getInstance", getInstance,
         {.summary = "Show an instance",
          .description = "Its configuration, state and addresses. With `fields`, only the named members.",
          .responses = {ok("The instance; its ETag is for If-Match", "InstanceOrSelection", {"ETag"})},
          .parameters = {instanceRef(), selectedFields()}}),
      changeRoute("PUT", "updateInstance", "Change an instance's configuration",
                  "Absent members stay. `resources` and `network` are merged into the current values; `env`, `labels` and `metadata` are "
                  "replaced as a whole. `env` requires the permission to configure.",
                  updateInstance, jsonBody<UpdateInstanceRequest>()),
      changeRoute("PATCH", "patchInstance", "Change an instance's configuration by a JSON merge patch",
                  "RFC 7396 on resources, network, env, labels and metadata: absent members stay, and null removes a member, or resets it "
                  "to its default. `application/json` is read in the same way.",
                  patchInstance, {BodyRule::Json, "PatchInstance", kMergePatchType}),
  };
}

}  // namespace swarm::api
