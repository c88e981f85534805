# Builds CMake presets, with progress that stays readable beside other output, and the workspace image.
# shellcheck shell=bash
# Source common.sh first.

# build_configure PRESET: the first time, and after a change of the presets; Ninja runs CMake again when a CMake file has changed.
build_configure() {
  local log=$SWARM_STATE/configure-$1.log made=$SWARM_ROOT/build/$1/build.ninja
  [[ -e $made && ! $SWARM_ROOT/CMakePresets.json -nt $made ]] && return 0
  mkdir -p "$SWARM_STATE"
  step "configuring $1"
  if ! (cd "$SWARM_ROOT" && cmake --preset "$1") >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "CMake could not configure preset $1 (the end of $log is above)" "Run scripts/build, which installs the build dependencies."
  fi
}

# build_targets PRESET TARGET...: builds them; prints a line per tenth of the work, and the compiler's output on errors.
build_targets() {
  local preset=$1
  shift
  build_configure "$preset"
  if [[ -t 2 && -z ${SWARM_QUIET_BUILD:-} ]]; then
    ninja -C "$SWARM_ROOT/build/$preset" --quiet "$@" >&2 || fail "the build of $preset failed (see above)"
  else
    NINJA_STATUS='[%f/%t] ' ninja -C "$SWARM_ROOT/build/$preset" "$@" 2>&1 | build_progress "$preset" ||
      fail "the build of $preset failed (see above)"
  fi
}

# Turns Ninja's "[done/total] what" into a line per tenth of the work; passes everything else on.
build_progress() {
  local line tenth last=-1
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      tenth=$((BASH_REMATCH[1] * 10 / BASH_REMATCH[2]))
      ((tenth == last)) && continue
      last=$tenth
      step "build $1: ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
    elif [[ $line != ninja:\ Entering* && $line != ninja:\ no\ work* && $line != --* ]]; then
      say "$line"
    fi
  done
}

# build_programs PROGRAM...: builds the release programs, and links them from bin/.
build_programs() {
  local program
  build_configure release
  build_targets release "$@"
  mkdir -p "$SWARM_ROOT/bin"
  for program; do
    ln -sfn "../build/release/$program" "$SWARM_ROOT/bin/$program"
  done
}

# build_programs in the background: it needs neither the image's packages nor the Engine. build_finish waits for it.
build_pid=''
build_start() {
  build_programs "$@" &
  build_pid=$!
}
build_finish() {
  wait "$build_pid" || exit 1 # it has said why
  build_pid=''
}

# The image's long stages do not depend on the C++ build: they run beside it, and image_finish waits for them.
image_pid=''
image_prepare() {
  "$SWARM_ROOT/images/workspace/build" --prepare &
  image_pid=$!
}
# image_finish TAG AGENT
image_finish() {
  wait "$image_pid" || fail "could not build the workspace image (see above)"
  image_pid=''
  "$SWARM_ROOT/images/workspace/build" --tag "$1" --agent "$2" >/dev/null
}
# For traps: what fails or is interrupted must not leave a build running.
build_abort() {
  if [[ -n $build_pid ]]; then kill_tree "$build_pid"; fi
  if [[ -n $image_pid ]]; then kill_tree "$image_pid"; fi
}
