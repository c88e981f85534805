// What every verb needs: the server, the output format, and whether a person or a program reads the output.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/completion.h"
#include "swarm/client.h"

namespace swarm::cli {

enum class OutputFormat { Table, Json, Yaml, Name };

/// The flags of all verbs that call the server. A token is never a flag: other users could read it.
struct CommonOptions {
  std::string url;
  std::string caFile;
  std::string format;  ///< "table", "json", "yaml" or "name"
};

/// What `serve` and `login` store for the other verbs: $XDG_CONFIG_HOME/swarm/credentials.json, mode 0600.
struct Credentials {
  std::string url;
  Secret token;
  std::string user;
  std::string server{};  ///< the id of the server that wrote them automatically; empty: a user signed in
  std::string caFile{};  ///< absolute; with which the user signed in
};
std::filesystem::path credentialsPath();
std::optional<Credentials> readCredentials(const std::filesystem::path& path);
/// Written to a new file with mode 0600 and renamed into place. Throws Error.
void writeCredentials(const std::filesystem::path& path, const Credentials& credentials);
void removeCredentials(const std::filesystem::path& path);

/// The parts of the program that a verb about the program itself uses.
struct Program {
  std::function<int(const ServeFlags&)> serve;
  Doctor doctor;
  std::function<CompletionNode()> tree;
  std::function<std::string(const std::vector<std::string>& words)> help;  ///< throws WrongUse for an unknown verb
};

class Context {
 public:
  /// `arguments`: of the chosen verb. The referenced objects must outlive the context.
  Context(CommonOptions options, const Program& program, const Arguments& arguments);

  /// For a verb that names the server in a word of its own, before client().
  void useServer(std::string url) { options_.url = std::move(url); }
  /// Uses the flags, then SWARM_URL, SWARM_TOKEN and SWARM_CA_FILE, then the stored credentials. Created at the first call.
  SwarmClient& client();
  std::string url() const { return url_; }
  bool usesTokenOfEnvironment() const { return uses_token_of_environment_; }  ///< SWARM_TOKEN
  std::string caFile() const { return ca_file_; }                             ///< empty: the system's trust store
  /// Flags with which another `swarm` of this user reaches the same server, or none after a sign-in to another one.
  std::vector<std::string> serverFlags();
  OutputFormat output() const { return output_; }
  const Program& program() const { return program_; }
  const Arguments& arguments() const { return arguments_; }

  bool stderrIsTerminal() const { return stderr_terminal_; }
  bool colour() const { return colour_; }   ///< of stdout; false with NO_COLOR or when it is not a terminal
  int columns() const { return columns_; }  ///< of the terminal; 0 when stdout is not one: nothing is cut

 private:
  void refresh(const Credentials& credentials);

  CommonOptions options_;
  const Program& program_;
  const Arguments& arguments_;
  OutputFormat output_;
  std::string url_;
  std::string ca_file_;
  std::unique_ptr<SwarmClient> client_;
  bool uses_token_of_environment_ = false;
  bool stderr_terminal_ = false;
  bool colour_ = false;
  int columns_ = 0;
};

}  // namespace swarm::cli
