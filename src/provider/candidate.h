// A provider's configuration that came in a request, to be checked and dropped: it contains the contents of files, never paths of this
// machine, and only endpoints that the administrator allows. What its endpoint returns is not the caller's to read.
#pragma once

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/codec/codec.h"
#include "net/connect.h"
#include "provider/provider.h"

namespace swarm {

/// The body of such a request, for the description of the API.
struct CandidateForm {
  std::string_view name;     ///< of the schema
  std::string_view schema;   ///< JSON Schema
  std::string_view example;  ///< JSON
};
using CandidateForms = std::map<ProviderType, CandidateForm>;

class Candidate {
 public:
  /// "host:port" of each endpoint that may be named.
  explicit Candidate(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}
  ~Candidate();
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  /// Refuses members of swarm.toml that are paths: a request must not make the server read them.
  static void refusePaths(ObjectReader& reader, std::initializer_list<std::string_view> names);
  /// Reads one PEM text; `into` is a path to it for the lifetime of this.
  void readPem(ObjectReader& reader, std::string_view name, std::filesystem::path& into);
  /// Throws Error(Unprocessable) that names the member at `pointer`.
  void requireAllowed(const net::HostPort& address, std::string_view pointer) const;
  /// Replaces a provider's errors about files that do not exist for the caller.
  ProviderPtr make(const std::function<ProviderPtr()>& make) const;

 private:
  std::vector<std::string> allowed_;
  std::vector<int> files_;  ///< in memory; contents are never written to disk
};

/// Runs one check of a configuration, which returns its detail; an error becomes the detail.
awaitable<ValidationCheck> runCheck(std::string name, bool is_candidate, awaitable<std::string> work);

}  // namespace swarm
