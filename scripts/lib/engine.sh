# The Docker Engine on this machine: find it, start one if none is running, stop only one that we started.
# shellcheck shell=bash
# Source common.sh first.

ENGINE_SOCKET=/var/run/docker.sock
ENGINE_STATE=$SWARM_STATE/engine
ENGINE_PID_FILE=$ENGINE_STATE/dockerd.pid # written by us: present if we started dockerd
ENGINE_LOG=$ENGINE_STATE/dockerd.log
ENGINE_OWN_PID_FILE=/var/run/docker.pid # written by dockerd itself

engine_responds() { curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/_ping >/dev/null 2>&1; }
engine_version() {
  curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/version |
    sed -E 's/.*"Version":"([^"]+)","ApiVersion":"([^"]+)".*/\1 (API \2)/'
}
# An Engine that responds to root but not to us: starting a second one would not help.
engine_responds_root() { as_root curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/_ping >/dev/null 2>&1; }

# Fails, with the remedy, when the socket exists but this user may not use it.
engine_check_permission() {
  [[ -S $ENGINE_SOCKET && ! -w $ENGINE_SOCKET ]] || return 0
  engine_responds_root || return 0
  fail "a Docker Engine runs, but user $(id -un) may not use $ENGINE_SOCKET" \
    "Run: sudo usermod -aG docker $(id -un), then sign in again (or: newgrp docker)." \
    "Members of that group have root access to this machine."
}

# A killed dockerd leaves its pid file behind, and then refuses to start while any process has that number.
engine_remove_stale_pid_file() {
  local pid
  pid=$(as_root cat "$ENGINE_OWN_PID_FILE" 2>/dev/null) || return 0
  if alive "$pid" dockerd; then
    say "waiting for dockerd (pid $pid), which does not respond yet"
    wait_until 60 engine_responds && return 0
    fail "dockerd (pid $pid) runs but does not respond at $ENGINE_SOCKET" "Check its log, or stop it and try again."
  fi
  as_root rm -f "$ENGINE_OWN_PID_FILE"
}

# dockerd gets its own session, so that a Ctrl-C in this terminal does not end it.
engine_run() {
  : >"$ENGINE_LOG"
  # PATH: iptables and containerd are in sbin, which an ordinary user's PATH lacks.
  as_root env "PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH" setsid --fork \
    "$@" --host "unix://$ENGINE_SOCKET" >>"$ENGINE_LOG" 2>&1 </dev/null
  wait_until 60 engine_responds_or_panicked && engine_responds_root
}
engine_responds_or_panicked() { engine_responds_root || grep -q '^panic:' "$ENGINE_LOG"; }

# A dockerd that is killed while it makes a network can leave an incomplete record of it. Docker 20.10 then ends with a
# panic in libnetwork at every start. Fails unless this is the case; else dockerd can start without its networks.
engine_set_networks_aside() {
  local database=/var/lib/docker/network/files/local-kv.db
  grep -q '^panic:' "$ENGINE_LOG" && grep -q '^github.com/docker/libnetwork' "$ENGINE_LOG" || return 1
  step "dockerd was killed while it made a network, and can't read its networks: starting without them"
  say "Their database is kept as $database.incomplete"
  as_root mv "$database" "$database.incomplete"
}

engine_start_directly() {
  local dockerd group=()
  dockerd=$(command -v dockerd || command -v /usr/sbin/dockerd || command -v /usr/local/bin/dockerd) ||
    fail "no Docker Engine is installed" "Run: apt-get install docker.io iptables"
  mkdir -p "$ENGINE_STATE"
  # The docker group gets the socket if the group exists (Debian's package creates it).
  getent group docker >/dev/null && group=(--group docker)
  if ! engine_run "$dockerd" "${group[@]}" && ! { engine_set_networks_aside && engine_run "$dockerd" "${group[@]}"; }; then
    tail -n 20 "$ENGINE_LOG" >&2
    fail "dockerd did not respond within 60 s" "The end of its log is above; the rest is in $ENGINE_LOG"
  fi
  as_root cat "$ENGINE_OWN_PID_FILE" >"$ENGINE_PID_FILE"
}

# Starts an Engine unless one responds. engine_is_ours reports whether we started it.
engine_start() {
  engine_responds && return 0
  engine_check_permission
  if [[ -d /run/systemd/system ]]; then
    step "starting the Docker Engine (systemd)"
    as_root systemctl start docker || fail "systemd could not start docker" "See: journalctl -u docker"
    wait_until 60 engine_responds_root || fail "docker was started but does not respond at $ENGINE_SOCKET" "See: journalctl -u docker"
  else
    engine_remove_stale_pid_file
    engine_responds && return 0
    step "starting the Docker Engine"
    engine_start_directly
  fi
  engine_check_permission
  step "Docker Engine $(engine_version) is ready"
}

engine_is_ours() { alive "$(pid_in "$ENGINE_PID_FILE")" dockerd; }

# Stops the Engine, with its containers, if we started it.
engine_stop() {
  [[ -e $ENGINE_PID_FILE ]] || return 0
  local pid
  pid=$(pid_in "$ENGINE_PID_FILE")
  if alive "$pid" dockerd; then
    step "stopping the Docker Engine (pid $pid)"
    stop_process "$pid" dockerd 60 as_root
  fi
  rm -f "$ENGINE_PID_FILE"
}

engine_status() {
  if ! engine_responds; then
    say "no Docker Engine responds at $ENGINE_SOCKET"
    return 1
  fi
  if engine_is_ours; then
    say "Docker Engine $(engine_version), started by us, pid $(pid_in "$ENGINE_PID_FILE"), log $ENGINE_LOG"
  else
    say "Docker Engine $(engine_version), not started by us"
  fi
}

# engine_join_group ARGUMENT...: adds a user with sudo to the docker group, and restarts the calling script with these
# arguments as a member. Signing in again is not needed.
engine_join_group() {
  [[ $EUID -ne 0 ]] || return 0
  # Debian's package docker.io takes the group if it exists.
  getent group docker >/dev/null || as_root groupadd --system docker
  id -nG | grep -qw docker && return 0
  if ! id -nG "$(id -un)" | grep -qw docker; then
    step "adding $(id -un) to the group docker, whose members may use the Engine"
    as_root usermod -aG docker "$(id -un)"
  fi
  command -v sg >/dev/null || fail "this session is not in the group docker yet" "Sign in again, and run the script once more."
  exec sg docker -c "$(printf '%q ' "$0" "$@")"
}
