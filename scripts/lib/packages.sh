# Installs missing Debian packages. When none is missing: one dpkg-query, a few milliseconds, no network, no root.
# shellcheck shell=bash
# Source common.sh first.

# packages_in SECTION...: prints the packages of scripts/lib/packages.txt that this machine needs.
# A line is "package" or "package ?command"; the latter is skipped when the command exists (Debian's package must not
# replace a newer one from elsewhere, or conflict with it).
packages_in() {
  local wanted=" $* " section='' package unless
  while read -r package unless; do
    case $package in
      '' | '#'*) continue ;;
      '['*) section=${package//[\[\]]/} && continue ;;
    esac
    [[ $wanted == *" $section "* ]] || continue
    [[ -n $unless ]] && PATH=$PATH:/usr/sbin:/sbin command -v "${unless#?}" >/dev/null && continue
    printf '%s\n' "$package"
  done <"$SWARM_ROOT/scripts/lib/packages.txt"
}

# packages_missing PACKAGE...: prints those that are not installed.
packages_missing() {
  local installed
  # dpkg-query fails for unknown packages, which are missing ones.
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# packages_install SECTION...: installs the sections' missing packages.
packages_install() {
  local packages missing log
  mapfile -t packages < <(packages_in "$@")
  ((${#packages[@]})) || return 0
  mapfile -t missing < <(packages_missing "${packages[@]}")
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || fail "packages are missing, and this system is not Debian: ${missing[*]}" "Install them with your system's tools."
  step "installing ${#missing[@]} Debian packages: ${missing[*]}"
  mkdir -p "$SWARM_STATE"
  log=$SWARM_STATE/packages.log
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "could not install packages (the end of $log is above)" "Try: apt-get install ${missing[*]}"
  fi
  step "installed the packages"
}
