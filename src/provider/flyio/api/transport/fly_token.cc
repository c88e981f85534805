#include "provider/flyio/api/transport/fly_token.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <tuple>

#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"

namespace swarm::flyio {
namespace {

namespace fs = std::filesystem;

Error invalid(std::string message) { return Error(ErrorCode::InvalidArgument, std::move(message)); }

/// Without the spaces and line breaks behind it.
Secret checked(std::string token, std::string_view name) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  if (token.empty()) throw invalid(format("{} has no token (fly tokens create org prints one).", name));
  for (char c : token) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~')
      throw invalid(format("{} contains a character that no token has, such as a line break.", name));
  }
  return Secret(std::move(token));
}

Secret readFile(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw invalid(format("[flyio] apiTokenFile {} cannot be read.", path.string()));
  return checked(std::string(std::istreambuf_iterator<char>(file), {}), format("[flyio] apiTokenFile {}", path.string()));
}

/// Changes with every replacement of the file, by a rename too.
using Stamp = std::tuple<ino_t, off_t, time_t, long>;
Stamp stampOf(const fs::path& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return {};
  return {facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

}  // namespace

struct FlyToken::State {
  TokenSource source = TokenSource::none;  ///< of the configuration's
  fs::path file;
  Stamp stamp{};
  Secret token;  ///< of the configuration
  Secret stored;
  SystemTime storedAt{};

  void refresh() {
    if (source != TokenSource::file) return;
    const Stamp now = stampOf(file);
    if (now == stamp) return;
    stamp = now;
    try {
      token = readFile(file);
      log::info("the token of Fly.io was replaced", {{"file", file.string()}});
    } catch (const Error& error) {
      log::warning("the former token of Fly.io is used", {{"reason", error.message()}});
    }
  }
};

FlyToken::FlyToken(const Secret& fixed, fs::path file, TokenSource source_of_fixed) : state_(std::make_shared<State>()) {
  if (!fixed.empty()) {
    state_->token = checked(fixed.reveal(), "[flyio] apiToken");
    state_->source = source_of_fixed;
  } else if (!file.empty()) {
    state_->stamp = stampOf(file);  // before the file is read: a change in between is noticed
    state_->token = readFile(file);
    state_->source = TokenSource::file;
    state_->file = std::move(file);
  }
}

const Secret& FlyToken::current() const {
  if (!state_->stored.empty()) return state_->stored;
  state_->refresh();
  if (state_->token.empty())
    throw Error(
        ErrorCode::Unavailable,
        "The Fly.io provider has no token: store one with `swarm providers token flyio`, or set apiTokenFile of [flyio] (fly tokens "
        "create org prints one).");
  return state_->token;
}

ProviderToken FlyToken::describe() const {
  if (!state_->stored.empty()) return {.source = TokenSource::stored, .setAt = state_->storedAt};
  state_->refresh();
  ProviderToken token{.source = state_->source};
  if (state_->source == TokenSource::file)
    if (const time_t changed = std::get<2>(state_->stamp); changed != 0) token.setAt = SystemTime(std::chrono::seconds(changed));
  return token;
}

void FlyToken::store(const Secret& token, SystemTime set_at) const {
  state_->stored = token.empty() ? Secret() : checked(token.reveal(), "The text");
  state_->storedAt = set_at;
}

}  // namespace swarm::flyio
