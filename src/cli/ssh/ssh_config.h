// Our marked block in the configuration of ssh. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm::cli {

using SshOptions = std::vector<std::pair<std::string, std::string>>;

/// The name of the server's SSH listener in the block: ssh -J swarm-jump coder@web1.
inline constexpr std::string_view kJumpHost = "swarm-jump";

/// The block for all workspaces; those of `hosts` are named, so that programs which list the hosts of the file show them. `jump`: options
/// of the SSH listener; empty: there is none.
std::string sshBlock(const std::vector<std::string>& hosts, const SshOptions& options, const SshOptions& jump = {});

bool hasSshBlock(std::string_view config);
/// `config` with `block` in place of the former one, or else at its beginning, since in ssh the first value of an option counts. An empty
/// block removes it. The rest stays as it is. Throws Error(InvalidArgument) when the marks of the block are incomplete.
std::string replaceSshBlock(std::string_view config, std::string_view block);

}  // namespace swarm::cli
