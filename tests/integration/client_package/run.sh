#!/usr/bin/env bash
# Installs the client component into a folder of its own, builds examples/client against it, and runs it.
set -euo pipefail
source=$1 build=$2 compiler=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --component client --prefix "$folder/prefix" >"$folder/log"
cmake -S "$source/examples/client" -B "$folder/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$folder/prefix" >>"$folder/log"
cmake --build "$folder/build" >>"$folder/log" || { cat "$folder/log"; exit 1; }
# Port 1 of loopback: nobody listens. The library must say so in a sentence, and not end in any other way.
if SWARM_URL=http://127.0.0.1:1 "$folder/build/example" 2>"$folder/error"; then
  echo "the example claims to have reached a server where there is none"
  exit 1
fi
grep -qi "refused" "$folder/error" || { echo "unexpected message:"; cat "$folder/error"; exit 1; }
