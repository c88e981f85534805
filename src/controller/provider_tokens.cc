#include "controller/provider_tokens.h"

#include <boost/json/serialize.hpp>

#include "base/diagnostics/log.h"
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "controller/failure.h"
#include "model/codec/codec.h"
#include "store/store.h"

namespace swarm::control {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTurn{10};
constexpr std::chrono::seconds kCheck{30};

std::string rowOf(ProviderType type) { return format("provider.{}.token", enumName(type)); }

/// One row, so that a token and its time are replaced together.
Secret packed(const Secret& token, SystemTime set_at) {
  return Secret(json::serialize(json::object{{"token", token.reveal()}, {"setAt", formatTime(set_at)}}));
}

}  // namespace

ApiToken& ProviderTokens::require(ProviderType type) const {
  Provider* provider = context_.providers.find(type);
  if (!provider) throw Error(ErrorCode::NotFound, format("This server has no provider \"{}\".", enumName(type)));
  ApiToken* token = provider->apiToken();
  if (!token) throw Error(ErrorCode::Unsupported, format("The provider \"{}\" has no token.", enumName(type)));
  return *token;
}

awaitable<void> ProviderTokens::load() {
  for (const auto& [type, provider] : context_.providers) {
    ApiToken* holder = provider->apiToken();
    if (!holder) continue;
    const auto row = co_await attempt(context_.store.getSecret(rowOf(type)));
    if (row && (!*row || (*row)->empty())) continue;
    const json::value stored = row ? parseOrNull((*row)->reveal()) : json::value();
    Secret token(stringAt(stored, "token"));
    if (token.empty()) {
      log::error("the stored token of a provider cannot be read: store it again (swarm providers token)",
                 {{"provider", enumName(type)}, {"reason", row ? "it is damaged" : row.error().message()}});
      continue;
    }
    if (holder->describeToken().source != TokenSource::none)
      log::info("the stored token of a provider is used instead of the configuration's", {{"provider", enumName(type)}});
    holder->useToken(std::move(token), timeAt(stored, "setAt"));
  }
}

awaitable<ProviderToken> ProviderTokens::set(ProviderType type, Secret token, bool unchecked) {
  ApiToken& holder = require(type);
  if (token.empty()) throw Error(ErrorCode::InvalidArgument, "The token is empty.").withField("/token", "must not be empty");
  const auto turn = co_await turns_.acquire(Deadline::after(kTurn));
  const auto checked = co_await attempt(holder.checkToken(token, Deadline::after(kCheck)));
  if (!checked) {
    if (checked.error().code() != ErrorCode::Unavailable) throw checked.error();
    if (!unchecked)
      throw Error(ErrorCode::Unavailable,
                  checked.error().message() + " The former token stays. To replace it without a check, repeat with --force (force=true).");
  }
  const SystemTime now = context_.clock.now();
  co_await context_.store.putSecret(rowOf(type), packed(token, now));
  holder.useToken(std::move(token), now);
  log::info("the token of a provider was replaced", {{"provider", enumName(type)}, {"checked", checked ? "yes" : "no"}});
  co_return holder.describeToken();
}

awaitable<ProviderToken> ProviderTokens::remove(ProviderType type) {
  ApiToken& holder = require(type);
  const auto turn = co_await turns_.acquire(Deadline::after(kTurn));
  co_await context_.store.putSecret(rowOf(type), Secret());
  holder.useToken({}, {});
  log::info("the stored token of a provider was removed", {{"provider", enumName(type)}});
  co_return holder.describeToken();
}

}  // namespace swarm::control
