# The Docker Engine on this machine: find it, start it when there is none, stop only the one that we started.
# shellcheck shell=bash
# Source common.sh first.

ENGINE_SOCKET=/var/run/docker.sock
ENGINE_STATE=$SWARM_STATE/engine
ENGINE_PID_FILE=$ENGINE_STATE/dockerd.pid # written by us: its presence says "we started it"
ENGINE_LOG=$ENGINE_STATE/dockerd.log
ENGINE_OWN_PID_FILE=/var/run/docker.pid # written by dockerd itself

engine_answers() { curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/_ping >/dev/null 2>&1; }
engine_version() {
  curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/version |
    sed -E 's/.*"Version":"([^"]+)","ApiVersion":"([^"]+)".*/\1 (API \2)/'
}
# Answers root but not us: starting a second one would not help.
engine_answers_root() { as_root curl -fsS --max-time 5 --unix-socket "$ENGINE_SOCKET" http://engine/_ping >/dev/null 2>&1; }

# Fails with what to do when the socket is there but not for this user.
engine_check_permission() {
  [[ -S $ENGINE_SOCKET && ! -w $ENGINE_SOCKET ]] || return 0
  engine_answers_root || return 0
  fail "a Docker Engine runs, but user $(id -un) may not use $ENGINE_SOCKET" \
    "Run: sudo usermod -aG docker $(id -un), then sign in again (or: newgrp docker)." \
    "Members of that group have root rights on this machine."
}

# A killed dockerd leaves its pid file behind and refuses to start while some process has that number.
engine_remove_stale_pid_file() {
  local pid
  pid=$(as_root cat "$ENGINE_OWN_PID_FILE" 2>/dev/null) || return 0
  if alive "$pid" dockerd; then
    say "dockerd (pid $pid) is there but does not answer yet: waiting for it"
    wait_until 60 engine_answers && return 0
    fail "dockerd (pid $pid) runs but does not answer at $ENGINE_SOCKET" "Look at its log, or stop it and try again."
  fi
  as_root rm -f "$ENGINE_OWN_PID_FILE"
}

# Runs in its own session, so that a Ctrl-C in this terminal does not end it.
engine_start_directly() {
  local dockerd group=()
  dockerd=$(command -v dockerd || command -v /usr/sbin/dockerd || command -v /usr/local/bin/dockerd) ||
    fail "no Docker Engine is installed" "Run: apt-get install docker.io iptables"
  mkdir -p "$ENGINE_STATE"
  # The socket is handed to the docker group only when there is one (Debian's package makes it).
  getent group docker >/dev/null && group=(--group docker)
  : >"$ENGINE_LOG"
  # PATH: iptables and containerd stand in sbin, which a plain user's PATH lacks.
  as_root env "PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH" setsid --fork \
    "$dockerd" --host "unix://$ENGINE_SOCKET" "${group[@]}" >>"$ENGINE_LOG" 2>&1 </dev/null
  if ! wait_until 60 engine_answers_root; then
    tail -n 20 "$ENGINE_LOG" >&2
    fail "dockerd did not answer within 60 s" "The end of its log stands above; all of it: $ENGINE_LOG"
  fi
  as_root cat "$ENGINE_OWN_PID_FILE" >"$ENGINE_PID_FILE"
}

# Makes sure that an Engine answers. Sets nothing; engine_is_ours tells who started it.
engine_start() {
  engine_answers && return 0
  engine_check_permission
  if [[ -d /run/systemd/system ]]; then
    step "starting the Docker Engine (systemd)"
    as_root systemctl start docker || fail "systemd could not start docker" "Look at: journalctl -u docker"
    wait_until 60 engine_answers_root || fail "docker was started but does not answer at $ENGINE_SOCKET" "Look at: journalctl -u docker"
  else
    engine_remove_stale_pid_file
    engine_answers && return 0
    step "starting the Docker Engine"
    engine_start_directly
  fi
  engine_check_permission
  step "Docker Engine $(engine_version) answers"
}

engine_is_ours() { alive "$(pid_in "$ENGINE_PID_FILE")" dockerd; }

# Stops the Engine only when we started it. Its containers are stopped with it.
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
  if ! engine_answers; then
    say "no Docker Engine answers at $ENGINE_SOCKET"
    return 1
  fi
  if engine_is_ours; then
    say "Docker Engine $(engine_version), started by us, pid $(pid_in "$ENGINE_PID_FILE"), log $ENGINE_LOG"
  else
    say "Docker Engine $(engine_version), not started by us"
  fi
}

# engine_join_group ARGUMENT...: a user with sudo who is not in the docker group yet joins it, and the calling script goes
# on (from its beginning, with these arguments) as a member. Signing in again is not needed.
engine_join_group() {
  [[ $EUID -ne 0 ]] && getent group docker >/dev/null || return 0
  id -nG | grep -qw docker && return 0
  if ! id -nG "$(id -un)" | grep -qw docker; then
    step "adding $(id -un) to the group docker, whose members may use the Engine"
    as_root usermod -aG docker "$(id -un)"
  fi
  command -v sg >/dev/null || fail "this session is not in the group docker yet" "Sign in again, and run the script once more."
  exec sg docker -c "$(printf '%q ' "$0" "$@")"
}
