# Shared helpers of every script: paths, messages, timing, root rights. To be sourced; runs nothing.
# shellcheck shell=bash disable=SC2317

SWARM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SWARM_STATE=${XDG_STATE_HOME:-$HOME/.local/state}/swarm
SWARM_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/swarm
export SWARM_ROOT SWARM_STATE SWARM_CACHE

# Messages go to stderr: stdout is for results (a URL, an image id).
say() { printf '%s\n' "$*" >&2; }
# A message with the seconds since the script began, so that slow steps stand out.
step() { printf '[%5.1fs] %s\n' "$(elapsed)" "$*" >&2; }
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local hint
  for hint in "$@"; do printf '  %s\n' "$hint" >&2; done
  exit 1
}
wrong_use() {
  printf '%s: %s (see --help)\n' "${0##*/}" "$1" >&2
  exit 2
}

SWARM_BEGAN=${EPOCHREALTIME/./}
elapsed() {
  local micros=$((${EPOCHREALTIME/./} - SWARM_BEGAN))
  printf '%d.%d' $((micros / 1000000)) $((micros / 100000 % 10))
}

# Runs a command as root; explains what to do when that is not possible.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    # sudo drops the environment; commands that use the network need the machine's proxies.
    local name proxies=()
    for name in http_proxy https_proxy no_proxy; do
      if [[ -n ${!name:-} ]]; then proxies+=("$name=${!name}"); fi
    done
    sudo env "${proxies[@]}" "$@"
  else
    fail "this step needs root: $*" "Run the script as root, or install sudo and allow your user to use it."
  fi
}

# alive PID [NAME]: true if the process exists and, with NAME, runs that program. A process that has ended and was not reaped does not count:
# just after `kill -9` it still has its pid and name.
# A pid alone is not enough: the kernel reuses the numbers of dead processes.
alive() {
  local pid=$1 name=${2:-} command
  [[ $pid =~ ^[0-9]+$ && -d /proc/$pid ]] || return 1
  if grep -qs '^State:[[:space:]]*[XZ]' "/proc/$pid/status"; then return 1; fi
  [[ -z $name ]] && return 0
  command=$(cat "/proc/$pid/comm" 2>/dev/null) || return 1
  [[ $command == "$name" ]]
}

# pid_in FILE: prints the pid in a pid file, or nothing.
pid_in() { if [[ -r $1 ]]; then head -n1 "$1"; fi; }

# wait_until SECONDS COMMAND...: true as soon as the command succeeds, false after that time.
wait_until() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < limit)) || return 1
    sleep 0.1
  done
}

# stop_process PID NAME SECONDS [as_root]: SIGTERM, wait, SIGKILL. Only for processes that we started; as_root for root's.
stop_process() {
  local pid=$1 name=$2 seconds=$3 with_root=${4:-}
  alive "$pid" "$name" || return 0
  $with_root kill -TERM "$pid" 2>/dev/null || return 0
  gone() { ! alive "$pid" "$name"; }
  if ! wait_until "$seconds" gone; then
    say "$name (pid $pid) did not stop within $seconds s: killing it"
    $with_root kill -KILL "$pid" 2>/dev/null || true
    wait_until 10 gone
  fi
}

# kill_tree PID: terminates a process that we started, with its descendants.
kill_tree() {
  local pid=$1 child
  while read -rd " " child; do kill_tree "$child"; done < <(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
  kill -TERM "$pid" 2>/dev/null || true
}
