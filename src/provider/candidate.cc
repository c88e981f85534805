#include "provider/candidate.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "async/attempt.h"
#include "base/text/format.h"

namespace swarm {

Candidate::~Candidate() {
  for (int file : files_) ::close(file);
}

void Candidate::refusePaths(ObjectReader& reader, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) {
    if (!reader.has(name)) continue;
    reader.accept(name);
    reader.fail(pointerStep(name), "is a path on the server, which a request must not contain");
  }
}

void Candidate::readPem(ObjectReader& reader, std::string_view name, std::filesystem::path& into) {
  auto text = reader.read<std::string>(name);
  if (!text) return;
  if (text->find("-----BEGIN ") == std::string::npos) return reader.fail(pointerStep(name), "must be PEM: its contents, not a path");
  const int file = ::memfd_create("swarm-candidate", MFD_CLOEXEC);
  if (file >= 0) files_.push_back(file);
  if (file < 0 || ::write(file, text->data(), text->size()) != static_cast<ssize_t>(text->size()))
    throw Error(ErrorCode::OutOfResources, "Cannot hold the configuration in memory for the check.");
  into = format("/proc/self/fd/{}", file);
}

void Candidate::requireAllowed(const net::HostPort& address, std::string_view pointer) const {
  const std::string endpoint = net::toString(address);
  if (std::ranges::find(allowed_, endpoint) != allowed_.end()) return;
  throw Error(
      ErrorCode::Unprocessable,
      format("{} is not an endpoint of this server's configuration, so it is not contacted. validateAddresses in [api] of swarm.toml "
             "lists further ones.",
             endpoint))
      .withField(std::string(pointer), "is not an allowed endpoint");
}

ProviderPtr Candidate::make(const std::function<ProviderPtr()>& make) const {
  try {
    return make();
  } catch (const Error& error) {
    const bool names_file = error.code() == ErrorCode::InvalidArgument && error.message().find("/proc/self/fd/") != std::string::npos;
    if (files_.empty() || !names_file) throw;
  }
  throw Error(ErrorCode::InvalidArgument, "A certificate or key is not valid PEM, or they do not belong together.");
}

awaitable<ValidationCheck> runCheck(std::string name, bool is_candidate, awaitable<std::string> work) {
  auto detail = co_await async::attempt(std::move(work));
  if (detail) co_return ValidationCheck{std::move(name), true, std::move(*detail)};
  const Error& error = detail.error();
  bool is_foreign = is_candidate && error.upstream().status != 0;
  co_return ValidationCheck{
      std::move(name), false,
      is_foreign ? format("The endpoint responded with status {}, unlike an endpoint of this provider.", error.upstream().status)
                 : error.message()};
}

}  // namespace swarm
