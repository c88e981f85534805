#!/usr/bin/env bash
# Installs the client component into a folder of its own, and uses it there as others would: by CMake, by pkg-config with each compiler, in C++20, and
# inside a shared library.
set -euo pipefail
source=$1 build=$2 compiler=$3
here=$source/tests/integration/client_package
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "$1"; [[ -s ${2:-} ]] && cat "$2"; exit 1; }

cmake --install "$build" --component client --prefix "$folder/prefix" >"$folder/log"
beside=$(find "$folder/prefix/include" -mindepth 1 -maxdepth 1 ! -name swarm)
[[ -z $beside ]] || fail "there are headers beside swarm/: $beside"

# Port 1 of loopback: no server listens. The library must say so in a sentence, and not end in any other way.
says_refused() {
  if "$@" 2>"$folder/error"; then fail "$1 claims to have reached a server where there is none"; fi
  grep -qi "refused" "$folder/error" || fail "unexpected message:" "$folder/error"
}
export SWARM_URL=http://127.0.0.1:1

cmake -S "$source/examples/client" -B "$folder/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$folder/prefix" >>"$folder/log"
cmake --build "$folder/build" >>"$folder/log" || fail "the example does not build" "$folder/log"
says_refused "$folder/build/example"

export PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig:$folder/prefix/lib64/pkgconfig:$(echo "$folder"/prefix/lib/*/pkgconfig)
read -ra flags <<<"$(pkg-config --cflags --libs swarm-client)"
for other in "$compiler" g++; do
  command -v "$other" >/dev/null || continue
  "$other" -std=c++20 -Wall -Wextra -Werror "$source/examples/client/main.cc" -o "$folder/by_hand" "${flags[@]}" >"$folder/log" 2>&1 ||
    fail "the example does not build with $other and pkg-config" "$folder/log"
  says_refused "$folder/by_hand"
done

"$compiler" -std=c++20 -fPIC -shared -fvisibility=hidden "$here/plugin.cc" -o "$folder/plugin.so" -Wl,-z,defs "${flags[@]}" >"$folder/log" 2>&1 ||
  fail "a shared library can't hold the client" "$folder/log"
"$compiler" -std=c++20 "$here/host.cc" -o "$folder/host" -ldl
says_refused "$folder/host" "$folder/plugin.so"
# Instances of the standard library's templates are visible by its own decision.
exported=$(nm --dynamic --defined-only --demangle "$folder/plugin.so" | grep -E ' [A-Z] ((typeinfo|typeinfo name|vtable) for )?swarm::' || true)
[[ -z $exported ]] || fail "the shared library exports our names: $exported"
