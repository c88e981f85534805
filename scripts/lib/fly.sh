# The Fly.io emulator that "scripts/up --with-fly-emulator" runs in the background, to try the second provider without an account.
# shellcheck shell=bash disable=SC2034,SC2317
# Source common.sh first.

FLY_STATE=$SWARM_STATE/fly
FLY_PID_FILE=$FLY_STATE/emulator.pid
FLY_LOG=$FLY_STATE/emulator.log
FLY_TOKEN_FILE=$FLY_STATE/token
FLY_API=127.0.0.1:4280
FLY_EDGE=127.0.0.1:4281

# After its first start it belongs to this checkout's server: instances may run in it.
fly_emulator_wanted() { [[ -e $FLY_TOKEN_FILE ]]; }
fly_emulator_is_ours() { alive "$(pid_in "$FLY_PID_FILE")" fly-emulator; }
fly_emulator_responds() { curl -fsS --max-time 5 "http://$FLY_API/emulator/state" >/dev/null 2>&1; }

# Makes the server use the emulator. FLY_API_TOKEN would override the token.
fly_emulator_settings() {
  unset FLY_API_TOKEN
  export SWARM_FLYIO_API_BASE_URL=http://$FLY_API SWARM_FLYIO_APP_URL="http://{app}.fly.localhost:${FLY_EDGE##*:}"
  export SWARM_FLYIO_API_TOKEN_FILE=$FLY_TOKEN_FILE SWARM_FLYIO_REGIONS=ams,fra,iad
  export SWARM_FLYIO_WORKSPACE_IMAGE=registry.fly.io/swarm-workspace/swarm-workspace:latest
}

fly_emulator_start() {
  mkdir -p "$FLY_STATE"
  if [[ ! -s $FLY_TOKEN_FILE ]]; then (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$FLY_TOKEN_FILE"); fi
  fly_emulator_settings
  if fly_emulator_is_ours && fly_emulator_responds; then return 0; fi
  step "starting the Fly.io emulator"
  setsid "$SWARM_ROOT/bin/fly-emulator" --listen "$FLY_API" --edge "$FLY_EDGE" --data "$FLY_STATE/data" --token-file "$FLY_TOKEN_FILE" \
    --strict >"$FLY_LOG" 2>&1 </dev/null &
  printf '%s\n' "$!" >"$FLY_PID_FILE"
  fly_emulator_gone_or_ready() { fly_emulator_responds || ! fly_emulator_is_ours; }
  if ! wait_until 30 fly_emulator_gone_or_ready || ! fly_emulator_responds; then
    tail -n 20 "$FLY_LOG" >&2
    fail "the Fly.io emulator is not ready at $FLY_API" "The end of its log is above; the rest is in $FLY_LOG"
  fi
}

fly_emulator_stop() {
  local pid
  pid=$(pid_in "$FLY_PID_FILE")
  [[ -n $pid ]] || return 0
  stop_process "$pid" fly-emulator 30
  rm -f "$FLY_PID_FILE"
}
