# The server that scripts/up runs in the background: start, stop, state.
# shellcheck shell=bash disable=SC2034,SC2317
# Source common.sh first.

SERVER_STATE=$SWARM_STATE/server
SERVER_PID_FILE=$SERVER_STATE/swarm.pid
SERVER_LOG=$SERVER_STATE/swarm.log
# Instances that scripts/down stopped and the next scripts/up starts again.
SERVER_PAUSED=$SERVER_STATE/stopped-by-down

# URL of the server from this machine, whatever address it listens on.
server_url() {
  local listen=${SWARM_LISTEN:-127.0.0.1:7420}
  case $listen in
    0.0.0.0:* | '[::]:'*) listen=127.0.0.1:${listen##*:} ;;
  esac
  printf 'http://%s\n' "$listen"
}

server_ready() { curl -fsS --max-time 5 "$(server_url)/readyz" >/dev/null 2>&1; }
server_is_ours() { alive "$(pid_in "$SERVER_PID_FILE")" swarm; }
# A rebuilt program replaces the file; the running one is then shown as deleted.
server_is_outdated() { [[ $(readlink "/proc/$(pid_in "$SERVER_PID_FILE")/exe") == *' (deleted)' ]]; }

server_knows_fly() { tr '\0' '\n' <"/proc/$(pid_in "$SERVER_PID_FILE")/environ" | grep -q '^SWARM_FLYIO_API_BASE_URL='; }

# The address that the running server was given; a later run without SWARM_LISTEN means that server.
server_listen() {
  local listen
  listen=$(tr '\0' '\n' <"/proc/$(pid_in "$SERVER_PID_FILE")/environ" | sed -n 's/^SWARM_LISTEN=//p')
  printf '%s\n' "${listen:-127.0.0.1:7420}"
}
server_adopt_address() { if [[ -z ${SWARM_LISTEN:-} ]] && server_is_ours; then export SWARM_LISTEN && SWARM_LISTEN=$(server_listen); fi; }

server_start() {
  local listen=${SWARM_LISTEN:-127.0.0.1:7420}
  if server_is_ours && [[ $listen != "$(server_listen)" ]]; then
    step "the server listens on $(server_listen): restarting it on $listen"
    server_stop
  fi
  if server_is_ours && server_is_outdated; then
    step "the server runs an older build: restarting it"
    server_stop
  fi
  if ! server_is_ours; then
    if server_ready; then
      say "using the server at $(server_url), which this script did not start"
      return 0
    fi
    mkdir -p "$SERVER_STATE"
    step "starting the server"
    # In its own session, the server survives this terminal and a Ctrl-C.
    setsid "$SWARM_ROOT/bin/swarm" serve >"$SERVER_LOG" 2>&1 </dev/null &
    printf '%s\n' "$!" >"$SERVER_PID_FILE"
  fi
  server_gone_or_ready() { server_ready || ! alive "$(pid_in "$SERVER_PID_FILE")"; }
  if ! wait_until 30 server_gone_or_ready || ! server_ready; then
    tail -n 20 "$SERVER_LOG" >&2
    fail "the server is not ready at $(server_url)" "The end of its log is above; the rest is in $SERVER_LOG" \
      "If another program uses its port, choose another one: SWARM_LISTEN=127.0.0.1:7421 scripts/up"
  fi
  step "the server is ready at $(server_url)"
}

server_stop() {
  local pid
  pid=$(pid_in "$SERVER_PID_FILE")
  [[ -n $pid ]] || return 0
  stop_process "$pid" swarm 30
  rm -f "$SERVER_PID_FILE"
}
