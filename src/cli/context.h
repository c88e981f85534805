// What every verb needs: where the server is, how to print, and whether people or programs are watching.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "swarm/client.h"

namespace swarm::cli {

enum class OutputFormat { Table, Json, Yaml, Name };

/// Options that every verb takes.
struct CommonOptions {
  std::string url;     ///< --url
  std::string token;   ///< --token-file's content; a token is never taken from the command line, where others could read it
  std::string caFile;  ///< --ca
  OutputFormat output = OutputFormat::Table;
};

/// What `serve` and `login` write and every other verb reads: $XDG_CONFIG_HOME/swarm/credentials.json, mode 0600.
struct Credentials {
  std::string url;
  Secret token;
  std::string user;
  std::string server{};  ///< the id of the server that wrote them by itself; empty: a person signed in
};
std::filesystem::path credentialsPath();
std::optional<Credentials> readCredentials(const std::filesystem::path& path);
/// Written to a new file with mode 0600 and renamed into place. Throws Error.
void writeCredentials(const std::filesystem::path& path, const Credentials& credentials);
void removeCredentials(const std::filesystem::path& path);

class Context {
 public:
  explicit Context(CommonOptions options);

  /// Flags, then SWARM_URL and SWARM_TOKEN, then the credentials file. Made at the first call.
  SwarmClient& client();
  std::string url() const { return url_; }
  OutputFormat output() const { return options_.output; }
  const CommonOptions& options() const { return options_; }

  bool stderrIsTerminal() const { return stderr_terminal_; }
  bool colour() const { return colour_; }   ///< for stdout; off with NO_COLOR or when it is not a terminal
  int columns() const { return columns_; }  ///< of the terminal; 0 when stdout is none: then nothing is cut

 private:
  CommonOptions options_;
  std::string url_;
  Secret token_;
  std::unique_ptr<SwarmClient> client_;
  bool stderr_terminal_ = false;
  bool colour_ = false;
  int columns_ = 0;
};

}  // namespace swarm::cli
