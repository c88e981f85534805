# Stage 2: Node and code-server from npm, as the image swarm-workspace-vscode:KEY on top of the base.
# Built on the host (a container has neither the machine's package settings nor its compilers) and copied in.
# shellcheck shell=bash disable=SC2154
# Uses from build: here, cache, arch, versions.sh, common.sh.

vscode_key() {
  hash_of "$here/stages/vscode.sh" "$(base_key)" "$NODE_VERSION" "$NPM_VERSION" "$CODE_SERVER_VERSION"
}
vscode_tree_key() { hash_of "$here/stages/vscode.sh" "$arch" "$NODE_VERSION" "$NPM_VERSION" "$CODE_SERVER_VERSION"; }

# Debian splits npm into 370 packages. Installing them takes minutes on a busy disk and leaves them on the machine: for one call of npm,
# debian_npm FOLDER unpacks them below FOLDER/node_modules. An empty dpkg status makes apt name all of them, also installed ones.
debian_npm() {
  local folder=$1 names package
  mkdir -p "$folder/packages" "$folder/node_modules"
  names=$(apt-get install --simulate --no-install-recommends -o Dir::State::status=/dev/null npm | sed -nE 's/^Inst (npm|node-[^ ]+) .*/\1/p')
  (cd "$folder/packages" && xargs apt-get download -q <<<"$names")
  for package in "$folder"/packages/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$folder/node_modules" --strip-components=4 --exclude=./usr/lib --exclude=./usr/share/doc --exclude=./usr/share/man
  done
  rm -rf "$folder/packages"
}

# Any npm can fetch the Node and npm that do the real work. They are kept for the next build.
npm_tools() {
  local tools npm=(npm)
  tools=$cache/npm-$(hash_of "$arch" "$NODE_VERSION" "$NPM_VERSION")
  if [[ ! -x $tools/node_modules/.bin/npm ]]; then
    rm -rf "$tools" "$tools.new" "$tools.debian"
    mkdir -p "$tools.new"
    if ! command -v npm >/dev/null; then
      command -v node >/dev/null || fail "npm is missing" "Run: scripts/build (it installs Debian's packages)"
      run_logged "Debian's npm could not be unpacked" debian_npm "$tools.debian"
      npm=(node "$tools.debian/node_modules/npm/bin/npm-cli.js")
    fi
    run_logged "node-linux-$npm_arch@$NODE_VERSION and npm@$NPM_VERSION could not be fetched with ${npm[*]}" \
      "${npm[@]}" install --no-audit --no-fund --no-save --prefix "$tools.new" "node-linux-$npm_arch@$NODE_VERSION" "npm@$NPM_VERSION"
    mv "$tools.new" "$tools"
    rm -rf "$tools.debian"
  fi
  printf '%s\n' "$tools/node_modules"
}

# Leaves $cache/vscode-KEY/ with node/ and code-server/, pruned.
vscode_stage_tree() {
  local tree=$1 tools new=$1.new
  [[ -e $tree/complete ]] && return 0
  tools=$(npm_tools)
  rm -rf "$tree" "$new"
  mkdir -p "$new/npm" "$new/node/bin"
  # Headers come from the package, not from the network; our Node stands first in PATH for the packages' own scripts.
  # -O1 stands after the modules' -O3, with which SQLite alone takes more than a minute; VS Code keeps its small state in it.
  run_logged "code-server@$CODE_SERVER_VERSION could not be installed from npm" \
    env "PATH=$tools/.bin:$PATH" "npm_config_nodedir=$tools/node-linux-$npm_arch" CFLAGS=-O1 CXXFLAGS=-O1 \
    npm install --no-audit --no-fund --no-save --prefix "$new/npm" "code-server@$CODE_SERVER_VERSION"
  mv "$new/npm/node_modules/code-server" "$new/code-server"
  mv "$new/npm/node_modules" "$new/code-server/node_modules.outer"
  vscode_merge_modules "$new/code-server"
  cp "$tools/node-linux-$npm_arch/bin/node" "$new/node/bin/node"
  cp "$tools/node-linux-$npm_arch/LICENSE" "$new/node/LICENSE"
  vscode_stage_npm "$tools" "$new/node"
  rm -rf "$new/npm"
  vscode_prune "$new"
  "$new/node/bin/node" "$new/code-server/out/node/entry.js" --config /dev/null --version >/dev/null ||
    fail "the staged code-server does not run" "It stands in $new"
  touch "$new/complete"
  mv "$new" "$tree"
}

# npm and npx for people's own work. What they install globally goes into their home: that outlives the container and needs no root.
vscode_stage_npm() {
  local tools=$1 node=$2 command
  mkdir -p "$node/lib/node_modules"
  cp -r "$tools/npm" "$node/lib/node_modules/npm"
  for command in npm npx; do ln -s "../lib/node_modules/npm/bin/$command-cli.js" "$node/bin/$command"; done
  # shellcheck disable=SC2016
  printf 'prefix=${HOME}/.local\nupdate-notifier=false\n' >"$node/lib/node_modules/npm/npmrc"
}

# npm hoists code-server's dependencies beside it: put them back inside, so that the folder stands alone.
vscode_merge_modules() {
  local root=$1 outer=$1/node_modules.outer
  rm -rf "$outer/.bin" "$outer/.package-lock.json"
  mkdir -p "$root/node_modules"
  # What code-server brought itself wins over the hoisted copy.
  cp -rn "$outer/." "$root/node_modules/"
  rm -rf "$outer"
}

# Takes away what a running workspace never reads. Three quarters of the download are other systems' binaries,
# build leftovers, and a chat client whose licence is not ours to pass on.
vscode_prune() {
  local root=$1 code=$1/code-server/lib/vscode modules=$1/code-server/lib/vscode/node_modules
  rm -rf "$code/extensions/copilot" "$modules/@github" "$modules/@microsoft/mxc-sdk"
  find "$modules/@vscode/ripgrep-universal/bin" -mindepth 1 -maxdepth 1 ! -name "linux-$npm_arch" -exec rm -rf {} +
  find "$root/code-server" -type d -path '*/prebuilds/*' ! -name 'linux*' -prune -exec rm -rf {} +
  find "$root/code-server" -type d \( -name obj.target -o -path '*/Release/obj' -o -path '*/Release/.deps' \) -prune -exec rm -rf {} +
  rm -rf "$modules/@vscode/sqlite3/deps" "$modules/node-pty/third_party" "$modules/node-pty/deps" "$root/code-server/src"
  find "$root/code-server" -type f \( -name '*.map' -o -name '*.a' -o -name '*.o' -o -name '*.pdb' -o -name '*.gyp' \
    -o -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name '*.h' \) -delete
  find "$root/code-server" -name '*.node' -exec strip --strip-unneeded {} + 2>/dev/null || true
  strip --strip-unneeded "$root/node/bin/node" 2>/dev/null || true
  find "$root" -xtype l -delete
}

vscode_build() {
  local image=$1 base=$2 tree
  tree=$cache/vscode-$(vscode_tree_key)
  vscode_stage_tree "$tree"
  tar -C "$tree" --owner=0 --group=0 --sort=name --transform='flags=rh;s,^\.,opt/swarm,' --exclude=./complete -c . |
    add_layer "$base" "$image"
  keep_newest "$cache" 'vscode-*' "$tree"
}
