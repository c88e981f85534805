# Stage 3: our own parts (agent, launcher, settings, extensions), as the finished image. Takes a second or two.
# shellcheck shell=bash disable=SC2154,SC2016
# Uses from build: here, cache, versions.sh, common.sh.

overlay_key() { # AGENT
  hash_of "$here/stages/overlay.sh" "$(vscode_key)" "$IMAGE_VERSION" "$1" "$here/overlay" "$here/extension" "$here/disk" "$here/defaults.json" "$here/page.js" "$here/trust.js"
}

# VS Code's page with our default settings and page.js. Defaults of an extension apply too late for a first visit and cannot
# change every setting; those of the page apply from the start, and users' settings override them. The page is
# code-server's own, with one more script.
overlay_page() { # FROM
  local page marker='<!-- Startup (do not modify order of script tags!) -->' script
  page=$(file_of_image "$1" "$workbench_page")
  [[ $page == *"$marker"* ]] || fail "code-server's page has changed: marker for our script not found" "See overlay_page in $here/stages/overlay.sh"
  script=$(printf '<script nonce="{{WORKBENCH_SCRIPT_NONCE}}">
(() => {
const meta = document.getElementById("vscode-workbench-web-configuration");
const options = JSON.parse(meta.getAttribute("data-settings"));
// The host name of a workspace begins with its name (a bare address has none).
const name = /^[\\d.:[\\]]+$/.test(location.hostname) ? "" : location.hostname.split(".")[0];
options.configurationDefaults = %s;
if (name) {
  options.configurationDefaults["window.title"] = "${dirty}${activeEditorShort}${separator}${rootName}${separator}" + name;
  options.windowIndicator = { label: "$(remote) " + name, tooltip: "Workspace " + name + ": show all workspaces", command: "swarm.workspaces" };
}
%s
meta.setAttribute("data-settings", JSON.stringify(options));
})();
%s
</script>' "$(<"$here/defaults.json")" "$(<"$here/trust.js")" "$(<"$here/page.js")")
  printf '%s%s\n%s%s\n' "${page%%"$marker"*}" "$script" "$marker" "${page#*"$marker"}"
}
workbench_page=/opt/swarm/code-server/lib/vscode/out/vs/code/browser/workbench/workbench.html

overlay_build() { # IMAGE FROM AGENT KEY
  local image=$1 from=$2 agent=$3 key=$4 work
  work=$(mktemp -d "$cache/overlay.XXXXXX")
  cp -a "$here/overlay/." "$work/"
  mkdir -p "$work/usr/local/bin" "$work/opt/swarm/code-server/lib/vscode/extensions"
  cp -r "$here/extension" "$work/opt/swarm/code-server/lib/vscode/extensions/swarm-workspace"
  cp -r "$here/disk" "$work/opt/swarm/code-server/lib/vscode/extensions/swarm-disk"
  mkdir -p "$work${workbench_page%/*}"
  overlay_page "$from" >"$work$workbench_page"
  install -m 0755 "$agent" "$work/usr/local/bin/swarm-agent"
  # Modes are set here, because a checkout may be created under any umask.
  chmod -R u=rwX,go=rX "$work"
  chmod 0755 "$work"/opt/swarm/bin/*
  tar -C "$work" --owner=0 --group=0 --sort=name -c . | add_layer "$from" "$image" \
    'ENTRYPOINT ["/usr/local/bin/swarm-agent"]' 'WORKDIR /home/coder' \
    "LABEL swarm.image.version=$IMAGE_VERSION swarm.image.key=$key swarm.image.code-server=$CODE_SERVER_VERSION"
  rm -rf "$work"
}
