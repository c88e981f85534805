#include "provider/flyio/api/transport/fly_token.h"

#include <sys/stat.h>

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
Secret checked(std::string token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  if (token.empty())
    throw invalid("The Fly.io provider needs a token: set apiToken or apiTokenFile of [flyio] (fly tokens create org prints one).");
  for (char c : token) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~')
      throw invalid("[flyio] apiToken contains a character that no token has, such as a line break.");
  }
  return Secret(std::move(token));
}

Secret readFile(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw invalid(format("[flyio] apiTokenFile {} cannot be read.", path.string()));
  return checked(std::string(std::istreambuf_iterator<char>(file), {}));
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
  fs::path file;
  Stamp stamp{};
  Secret token;
};

FlyToken::FlyToken(const Secret& fixed, fs::path file) : state_(std::make_shared<State>()) {
  if (fixed.empty() && !file.empty()) {
    state_->stamp = stampOf(file);  // before the file is read: a change in between is noticed
    state_->token = readFile(file);
    state_->file = std::move(file);
  } else {
    state_->token = checked(fixed.reveal());
  }
}

const Secret& FlyToken::current() const {
  if (state_->file.empty()) return state_->token;
  const Stamp now = stampOf(state_->file);
  if (now == state_->stamp) return state_->token;
  state_->stamp = now;
  try {
    state_->token = readFile(state_->file);
    log::info("the token of Fly.io was replaced", {{"file", state_->file.string()}});
  } catch (const Error& error) {
    log::warning("the former token of Fly.io is used", {{"reason", error.message()}});
  }
  return state_->token;
}

}  // namespace swarm::flyio
