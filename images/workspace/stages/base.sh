# Stage 1: Debian with our packages and the user `coder`, as the image swarm-workspace-base:KEY.
# Needs no image registry: mmdebstrap makes it from the machine's own Debian sources.
# shellcheck shell=bash disable=SC2154
# Uses from build: here, cache, arch, versions.sh, common.sh, packages.sh.

base_key() { hash_of "$here/packages.txt" "$here/stages/base.sh" "$DEBIAN_RELEASE" "$arch"; }

# The machine's own Debian sources for this release, in one-line form: whatever mirror it uses, we use.
# Other publishers' sources stay out of the image. Passwords in a URI never go into the image.
base_sources() {
  local uri release component
  apt-get indextargets --format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
    while read -r uri release component; do
      case $release:$component in
        "$DEBIAN_RELEASE:main" | "$DEBIAN_RELEASE-updates:main" | "$DEBIAN_RELEASE-security:main")
          printf 'deb %s %s %s\n' "$(sed -E 's,//[^/@]*@,//,' <<<"${uri%/}")" "$release" "$component"
          ;;
      esac
    done | sort -u
}

# Proxies and certificates that apt uses here are used for the build, and removed from the image again.
base_apt_options() { apt-config dump | grep -E '^Acquire::https?::.*[^"]";$' || true; }

base_build() {
  local image=$1 work options packages
  work=$(mktemp -d "$cache/base.XXXXXX")
  base_sources >"$work/debian.list"
  base_apt_options >"$work/apt.conf"
  packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
  options=(--variant=minbase --include="$packages"
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-include=/usr/share/man/man?/*' --dpkgopt='path-exclude=/usr/share/info/*'
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright'
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-include=/usr/share/locale/locale.alias'
    "--customize-hook=chroot \"\$1\" sh -eu <'$work/customize.sh'"
    "--customize-hook=rm -f \"\$1/etc/apt/apt.conf.d/99mmdebstrap\"")
  base_customize >"$work/customize.sh"
  [[ -s $work/apt.conf ]] && options+=(--aptopt="$work/apt.conf")
  local sources=()
  if [[ -s $work/debian.list ]]; then
    sources=("$work/debian.list")
  else
    say "this machine has no Debian $DEBIAN_RELEASE sources: taking mmdebstrap's default"
  fi
  run_logged "the Debian base could not be made; is the Debian mirror reachable (apt-get update)?" \
    as_root mmdebstrap "${options[@]}" "$DEBIAN_RELEASE" "$work/base.tar" "${sources[@]}"
  docker import "${import_changes[@]}" - "$image" <"$work/base.tar" >/dev/null
  as_root rm -rf "$work"
}
import_changes=(
  --change 'ENV PATH=/opt/swarm/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  --change 'ENV LANG=C.UTF-8'
)

# Runs inside the new system, as root.
base_customize() {
  cat <<'END'
groupadd --gid 1000 coder
useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash --comment 'Workspace user' coder
# Sign-in is by key only; "*" (and not "!") keeps sshd from calling the account locked.
usermod --password '*' coder
echo 'coder ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/coder
chmod 0440 /etc/sudoers.d/coder
# A language other than English is one `locale-gen` away; the default, C.UTF-8, needs none.
sed -i 's/^# en_US.UTF-8/en_US.UTF-8/' /etc/locale.gen
locale-gen >/dev/null
# `man` needs no index for a page by its name; making it costs more than the rest of the installation.
echo man-db man-db/auto-update boolean false | debconf-set-selections
# The Node of stage 2 is people's own, too.
for command in node npm npx; do ln -s /opt/swarm/node/bin/$command /usr/local/bin/$command; done
# What people install for themselves goes into their home, which outlives the container.
printf '[global]\nbreak-system-packages = true\n' >/etc/pip.conf
printf '[init]\n\tdefaultBranch = main\n' >/etc/gitconfig
for startup in /etc/bash.bashrc /etc/zsh/zshenv; do
  printf '\n# Commands of `pip install` and `npm install --global`.\n[ ! -f /etc/profile.d/swarm.sh ] || . /etc/profile.d/swarm.sh\n' >>"$startup"
done
# Every instance makes its own identity: none may be shared through the image.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt
rm -f /etc/hostname /etc/resolv.conf
END
}
