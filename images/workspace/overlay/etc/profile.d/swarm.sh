# Login shells (ssh) start with Debian's PATH: our commands belong in it.
# shellcheck shell=sh
case ":$PATH:" in
  *:/opt/swarm/bin:*) ;;
  *) PATH=/opt/swarm/bin:$PATH ;;
esac
