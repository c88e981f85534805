// Completion scripts. Names of instances are asked of the server with a short timeout, so that a missing server costs nothing.
#include "base/format.h"
#include "cli/verbs.h"

namespace swarm::cli {
namespace {

constexpr std::string_view kNameVerbs = "show|start|stop|restart|update|delete|open|exec|logs|forward|usage";

std::string replaceAll(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

constexpr std::string_view kBash = R"sh(_swarm() {
  local current="${COMP_WORDS[COMP_CWORD]}" verb="${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "@VERBS@" -- "$current"))
    return
  fi
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$(swarm "$verb" --help 2>/dev/null | grep -oE -- '--[a-z-]+')" -- "$current"))
    return
  fi
  case "$verb" in
    @NAMEVERBS@) COMPREPLY=($(compgen -W "$(timeout 2 swarm list -o name 2>/dev/null)" -- "$current")) ;;
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
    providers) COMPREPLY=($(compgen -W "show validate docker" -- "$current")) ;;
    operations) COMPREPLY=($(compgen -W "show follow cancel" -- "$current")) ;;
  esac
}
complete -F _swarm swarm
)sh";

constexpr std::string_view kZsh = R"sh(#compdef swarm
_swarm() {
  if (( CURRENT == 2 )); then
    compadd @VERBS@
    return
  fi
  case "${words[2]}" in
    @NAMEVERBS@) compadd $(timeout 2 swarm list -o name 2>/dev/null) ;;
    completion) compadd bash zsh fish ;;
    providers) compadd show validate docker ;;
    operations) compadd show follow cancel ;;
  esac
}
compdef _swarm swarm
)sh";

constexpr std::string_view kFish = R"sh(complete -c swarm -f
complete -c swarm -n __fish_use_subcommand -a "@VERBS@"
complete -c swarm -n "__fish_seen_subcommand_from @NAMEWORDS@" -a "(timeout 2 swarm list -o name 2>/dev/null)"
complete -c swarm -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
complete -c swarm -n "__fish_seen_subcommand_from providers" -a "show validate docker"
complete -c swarm -n "__fish_seen_subcommand_from operations" -a "show follow cancel"
)sh";

}  // namespace

std::string completionScript(const std::string& shell, const std::vector<std::string>& verbs) {
  std::string words;
  for (const std::string& verb : verbs) words += (words.empty() ? "" : " ") + verb;
  std::string script(shell == "zsh" ? kZsh : shell == "fish" ? kFish : kBash);
  script = replaceAll(script, "@VERBS@", words);
  script = replaceAll(script, "@NAMEVERBS@", kNameVerbs);
  return replaceAll(script, "@NAMEWORDS@", replaceAll(std::string(kNameVerbs), "|", " "));
}

}  // namespace swarm::cli
