# Versions of what the image contains from outside of Debian. After a change only the stages that use it are rebuilt.
# shellcheck shell=bash disable=SC2034

IMAGE_VERSION=3          # of the image's layout (paths, contracts with swarm-agent), a label on the image
DEBIAN_RELEASE=bookworm
NODE_VERSION=24          # npm package node-linux-ARCH; code-server requires this major version
NPM_VERSION=11           # the npm that installs the rest
CODE_SERVER_VERSION=4.139.1
