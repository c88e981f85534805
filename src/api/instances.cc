// Create, list, show and update instances.
#include "api/fields.h"
#include "api/handlers.h"
#include "api/instance_text.h"
#include "base/format.h"
#include "base/id.h"
#include "model/codec.h"
#include "model/validation.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

/// Only an admin works for somebody else.
std::string ownerOf(const Call& call, const std::optional<std::string>& asked) {
  if (!asked || *asked == call.principal().user) return call.principal().user;
  if (!call.isAdmin()) throw Error(ErrorCode::PermissionDenied, "Only an admin can create an instance for another user.");
  return *asked;
}

/// The body is an InstanceConfig with "provider", "regions" and "owner" beside it.
CreateRequest readCreateRequest(Call& call) {
  CreateRequest request;
  std::vector<FieldError> faults;
  std::optional<std::string> owner;
  if (json::object* body = call.body().if_object()) {
    if (json::value* provider = body->if_contains("provider"); provider && !provider->is_null())
      request.provider = decode<ProviderType>(*provider, {}, "/provider", faults, UnknownFields::Refuse);
    if (json::value* given = body->if_contains("owner"); given && !given->is_null()) {
      owner = decode<std::string>(*given, {}, "/owner", faults, UnknownFields::Refuse);
      if (faults.empty() && (owner->empty() || owner->size() > 64)) faults.push_back({"/owner", "must have 1 to 64 characters"});
    }
    if (json::value* regions = body->if_contains("regions"); regions && !regions->is_null()) {
      request.regions = decode<std::vector<std::string>>(*regions, {}, "/regions", faults, UnknownFields::Refuse);
      if (request.regions.size() > 16) faults.push_back({"/regions", "must have at most 16"});
      for (std::size_t i = 0; i < request.regions.size(); ++i)
        if (!isDnsLabel(request.regions[i]))
          faults.push_back({format("/regions/{}", i), "must be a region, like ams, or the name of a Docker host"});
    }
    body->erase("regions");
    body->erase("provider");
    body->erase("owner");
  }
  request.config = decode<InstanceConfig>(call.body(), {}, "", faults, UnknownFields::Refuse);
  validate(request.config, faults);
  throwIfAny(std::move(faults));
  request.owner = ownerOf(call, owner);
  request.actor = call.principal().user;
  request.idempotencyKey = call.text("Idempotency-Key").value_or("");
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
    throw Error(ErrorCode::PermissionDenied, "Only an admin can list the instances of another user.");
  query.owner = call.principal().user;
  return query;
}

/// If-Match: "v3" or *; nothing when it is absent or *.
std::optional<std::int64_t> readIfMatch(const Call& call) {
  auto tag = call.text("If-Match");
  if (!tag || *tag == "*") return std::nullopt;
  std::string_view text = *tag;
  std::int64_t version = 0;
  if (text.starts_with("\"v") && text.ends_with('"') && text.size() > 3) {
    auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size() - 1, version);
    if (error == std::errc() && end == text.data() + text.size() - 1) return version;
  }
  throw Error(ErrorCode::InvalidArgument, "If-Match must be an ETag that this server gave, like \"v3\", or *.");
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
  if (update.resources) validateResources(*update.resources, reader.faults(), "/resources");
  if (update.network) validateNetwork(*update.network, reader.faults(), "/network");
  if (update.env) validateEnvironment(*update.env, reader.faults(), "/env");
  if (update.labels) validateLabels(*update.labels, reader.faults(), "/labels");
  if (update.metadata) validateMetadata(*update.metadata, reader.faults(), "/metadata");
  reader.finish();
  if (!update.resources && !update.network && !update.env && !update.labels && !update.metadata)
    throw Error(ErrorCode::InvalidArgument, "There is nothing to change: give resources, env, network, labels or metadata.");
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

std::string entityTag(const Instance& instance) { return format("\"v{}\"", instance.version); }

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
  if (!instance || !canSee(call.principal(), instance->owner))
    throw Error(ErrorCode::NotFound, format("There is no instance \"{}\".", call.argument()));
  if (!isAllowed(call.principal(), permission, instance->owner))
    throw Error(ErrorCode::PermissionDenied, "Your role does not allow this on the instance.").withInstance(instance->id);
  co_return std::move(*instance);
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

awaitable<Reply> updateInstance(Services& services, Call& call) {
  std::optional<std::int64_t> if_version = readIfMatch(call);
  UpdateResult result;
  for (int attempt = 1;; ++attempt) {
    Instance current = co_await requireInstance(services, call, Permission::WriteOwn);
    UpdateRequest update = readUpdateRequest(call.body(), current);
    // The merge was made with this version; without If-Match, somebody else's change in between means merging again.
    update.ifVersion = if_version.value_or(current.version);
    try {
      result = co_await services.controller.updateInstance(current.id, std::move(update), call.principal().user);
      break;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::PreconditionFailed || if_version || attempt == 3) throw;
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
  co_return reply;
}

}  // namespace swarm::api
