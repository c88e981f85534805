# What tests need besides the build: image and npm modules; and the CTest run.
# shellcheck shell=bash
# Source common.sh, build.sh and engine.sh first.

TEST_TOOLS=$SWARM_CACHE/test             # npm modules for tests only
TEST_NPM_MODULES=(
  playwright-core@1 # drives Debian's Chromium
  fly-admin@1.6.1   # a third-party client of Fly's API
  oidc-provider@8.8.1 # an identity provider
  # for the API's description; Redocly 2 requires a newer Node than Debian's
  @redocly/cli@1.34.5 @stoplight/spectral-cli@6.16.3 openapi-typescript@7.13.0 typescript@5.9.3 ajv@8.20.0 ajv-formats@3.0.1
)
TEST_IMAGE=swarm-workspace:test          # with the agent of this build; swarm-workspace:latest is the user's own

# test_needs_engine LABEL...: without a label, all tests run.
test_needs_engine() {
  local label
  (($#)) || return 0
  for label in "$@"; do
    case $label in unit | checks | fuzz) ;; *) return 0 ;; esac
  done
  return 1
}

# Kept for the next run; fetched again when the list changes.
test_modules() {
  local wanted=${TEST_NPM_MODULES[*]} log=$SWARM_STATE/test-modules.log
  export SWARM_TEST_MODULES=$TEST_TOOLS/node_modules NODE_PATH=$TEST_TOOLS/node_modules
  [[ $(cat "$TEST_TOOLS/complete" 2>/dev/null) == "$wanted" ]] && return 0
  step "fetching npm modules for tests: $wanted"
  rm -rf "$TEST_TOOLS"
  mkdir -p "$TEST_TOOLS" "$SWARM_STATE"
  if ! npm install --no-audit --no-fund --no-save --prefix "$TEST_TOOLS" "${TEST_NPM_MODULES[@]}" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "npm could not fetch $wanted (the end of $log is above)"
  fi
  printf '%s\n' "$wanted" >"$TEST_TOOLS/complete"
}

# In CI the unit and conformance tests run with sanitizers; the test build.asan builds them.
test_configure() {
  local twin='' log=$SWARM_STATE/configure-dev.log
  if [[ ${CI:-} == true ]]; then
    twin=$SWARM_ROOT/build/asan
    build_configure asan
  fi
  build_configure dev
  grep -qx "SWARM_SANITIZED_TWIN:PATH=$twin" "$SWARM_ROOT/build/dev/CMakeCache.txt" && return 0
  cmake -S "$SWARM_ROOT" -B "$SWARM_ROOT/build/dev" "-DSWARM_SANITIZED_TWIN=$twin" >"$log" 2>&1 ||
    fail "CMake could not configure preset dev (see $log)"
}

# test_run LABEL... -- CTEST_ARGUMENT...
test_run() {
  local labels=()
  export SWARM_TEST_IMAGE=$TEST_IMAGE SWARM_WORKSPACE_IMAGE=$TEST_IMAGE
  while [[ $1 != -- ]]; do labels+=("$1") && shift; done
  shift
  # More jobs than cores: many tests mostly wait for an Engine or a browser.
  local pattern options=(--test-dir "$SWARM_ROOT/build/dev" --output-on-failure --no-tests=error --parallel "$(($(nproc) + 2))")
  if ((${#labels[@]})); then
    pattern=$(printf '|%s' "${labels[@]}")
    options+=(--label-regex "^(${pattern:1})\$")
  fi
  step "running the tests"
  export SWARM_TIDY_CACHE=$SWARM_CACHE/tidy
  # A leak or undefined behaviour fails the test, with its location.
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
  ctest "${options[@]}" "$@"
}
