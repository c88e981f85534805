# Login shells (ssh) start with Debian's PATH: add our commands, and those that users installed in their home.
# shellcheck shell=sh
for folder in /opt/swarm/bin "${HOME:-/home/coder}/.local/bin"; do
  case ":$PATH:" in
    *":$folder:"*) ;;
    *) PATH=$folder:$PATH ;;
  esac
done
unset folder
