#!/usr/bin/env bash
# What the helpers in scripts/lib decide: nothing is installed, started or stopped but a sleeping child of this test.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
work=$(mktemp -d)
child=''
trap 'if [[ -n $child ]]; then kill "$child" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache
for part in common packages engine server build test; do
  # shellcheck source=/dev/null
  . "$root/scripts/lib/$part.sh"
done

failures=0
expect() { # SENTENCE WANTED GOT
  if [[ $2 == "$3" ]]; then
    echo "ok    $1"
  else
    echo "FAIL  $1: wanted '$2', got '$3'"
    failures=$((failures + 1))
  fi
}
yes_no() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }

expect 'a package that is not installed is missing' 'no-such-package' "$(packages_missing bash no-such-package coreutils)"
expect 'nothing is missing when all is installed' '' "$(packages_missing bash coreutils)"
expect 'a section lists its packages' yes "$(packages_in build | grep -x clang-19 >/dev/null && echo yes)"
expect 'a section lists no other one' no "$(packages_in build | grep -x chromium >/dev/null && echo yes || echo no)"
npm() { :; }
expect 'a package is left out where its command is there already' no "$(packages_in test | grep -x npm >/dev/null && echo yes || echo no)"

sleep 600 &
child=$!
expect 'a process is alive under its own name' yes "$(yes_no alive "$child" sleep)"
expect 'a recycled pid is not ours' no "$(yes_no alive "$child" dockerd)"
expect 'an empty pid is not alive' no "$(yes_no alive '')"
# After `exec` the parent never reaps its child, which ends only then: before it, bash would reap it.
bash -c 'until [[ $(<"/proc/$$/comm") == sleep ]]; do :; done & echo "$!" >"$1"; exec sleep 60' _ "$work/zombie" &
parent=$!
wait_until 10 test -s "$work/zombie"
wait_until 10 grep -q '^State:.*Z' "/proc/$(<"$work/zombie")/status"
expect 'a process that ended and was not reaped is not alive' no "$(yes_no alive "$(<"$work/zombie")")"
kill "$parent"
mkdir -p "$ENGINE_STATE" "$SERVER_STATE"
echo "$child" >"$ENGINE_PID_FILE"
expect 'an Engine whose pid belongs to another program is not ours' no "$(yes_no engine_is_ours)"
engine_stop
expect 'stopping the Engine leaves another program with its pid alone' yes "$(yes_no alive "$child" sleep)"
expect 'the stale pid file is gone' no "$(yes_no test -e "$ENGINE_PID_FILE")"
stop_process "$child" sleep 5
expect 'a process of ours is stopped' no "$(yes_no alive "$child" sleep)"
wait "$child" 2>/dev/null || true
child=''
expect 'waiting ends at its deadline' no "$(yes_no wait_until 0 false)"

cp "$(command -v sleep)" "$work/swarm"
SWARM_LISTEN=127.0.0.1:9001 "$work/swarm" 60 &
child=$!
echo "$child" >"$SERVER_PID_FILE"
wait_until 10 server_is_ours
expect 'a run without SWARM_LISTEN means the server that runs' 127.0.0.1:9001 "$(server_adopt_address && echo "$SWARM_LISTEN")"
expect 'a run with SWARM_LISTEN means that address' 127.0.0.1:9002 "$(SWARM_LISTEN=127.0.0.1:9002 && server_adopt_address && echo "$SWARM_LISTEN")"
kill "$child"
child=''
rm "$SERVER_PID_FILE"
expect 'the server is reached on loopback when it listens everywhere' http://127.0.0.1:9000 "$(SWARM_LISTEN=0.0.0.0:9000 server_url)"
expect 'unit tests need no Engine' no "$(yes_no test_needs_engine unit checks)"
expect 'all tests need an Engine' yes "$(yes_no test_needs_engine)"
expect 'build progress is reported by tenths' 2 "$(printf '[1/100] a\n[2/100] b\n[10/100] c\n' | build_progress x 2>&1 | wc -l)"
expect 'what the compiler says passes' 'x.cc:1: error' "$(printf 'x.cc:1: error\n' | build_progress x 2>&1)"

((failures == 0)) || exit 1
