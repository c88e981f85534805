// Completion scripts. Names of instances are asked of the server with a short timeout, so that a missing server costs nothing.
#include "base/format.h"
#include "cli/verbs.h"

namespace swarm::cli {
namespace {

constexpr std::string_view kNameVerbs = "show|start|stop|restart|update|delete|migrate|export|open|exec|logs|forward|usage";

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
  case "$verb ${COMP_WORDS[COMP_CWORD-1]}" in
    export\ -o|export\ --output) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    --to|--provider) COMPREPLY=($(compgen -W "docker flyio" -- "$current")); return ;;
    --output|-o) COMPREPLY=($(compgen -W "table json yaml name" -- "$current")); return ;;
    --region) COMPREPLY=($(compgen -W "$(timeout 2 swarm providers regions -o name 2>/dev/null)" -- "$current")); return ;;
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$(swarm "$verb" --help 2>/dev/null | grep -oE -- '--[a-z-]+' | sort -u)" -- "$current"))
    return
  fi
  case "$verb" in
    @NAMEVERBS@) COMPREPLY=($(compgen -W "$(timeout 2 swarm list -o name 2>/dev/null)" -- "$current")) ;;
    import) COMPREPLY=($(compgen -f -- "$current")) ;;
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")) ;;
    providers) COMPREPLY=($(compgen -W "show regions validate docker flyio" -- "$current")) ;;
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
  case "${words[2]} ${words[CURRENT-1]}" in
    export\ -o|export\ --output) _files; return ;;
  esac
  case "${words[CURRENT-1]}" in
    --to|--provider) compadd docker flyio; return ;;
    --output|-o) compadd table json yaml name; return ;;
    --region) compadd $(timeout 2 swarm providers regions -o name 2>/dev/null); return ;;
  esac
  if [[ "${words[CURRENT]}" == -* ]]; then
    compadd -- $(swarm "${words[2]}" --help 2>/dev/null | grep -oE -- '--[a-z-]+' | sort -u)
    return
  fi
  case "${words[2]}" in
    @NAMEVERBS@) compadd $(timeout 2 swarm list -o name 2>/dev/null) ;;
    import) _files ;;
    completion) compadd bash zsh fish ;;
    providers) compadd show regions validate docker flyio ;;
    operations) compadd show follow cancel ;;
  esac
}
compdef _swarm swarm
)sh";

constexpr std::string_view kFish = R"sh(complete -c swarm -f
complete -c swarm -n __fish_use_subcommand -a "@VERBS@"
complete -c swarm -n "__fish_seen_subcommand_from @NAMEWORDS@" -a "(timeout 2 swarm list -o name 2>/dev/null)"
complete -c swarm -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
complete -c swarm -n "__fish_seen_subcommand_from providers" -a "show regions validate docker flyio"
complete -c swarm -n "__fish_seen_subcommand_from operations" -a "show follow cancel"
complete -c swarm -n "__fish_seen_subcommand_from import" -F
complete -c swarm -n "__fish_seen_subcommand_from export" -s o -l output -r -F -d "File to write"
complete -c swarm -n "__fish_seen_subcommand_from migrate" -l to -x -a "docker flyio" -d Provider
complete -c swarm -n "__fish_seen_subcommand_from migrate create" -l region -x -a "(timeout 2 swarm providers regions -o name 2>/dev/null)" -d "Region or host"
complete -c swarm -n "__fish_seen_subcommand_from migrate" -l back -d "To the kept place"
complete -c swarm -n "__fish_seen_subcommand_from migrate" -l keep-source -d "Keep the old place for a day"
complete -c swarm -n "__fish_seen_subcommand_from migrate" -l limit -x -d "Most bytes per second"
complete -c swarm -n "__fish_seen_subcommand_from migrate" -l dry-run -d "Only tell what would happen"
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
