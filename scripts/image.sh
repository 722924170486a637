#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# image.sh: the DaemonSet's image as $OUT/meridian.tar (docker-archive), named $IMAGE, by
# deploy/daemonset/Dockerfile. `make image` calls it, with both programs built. Environment:
#
#   IMAGE     registry.local/meridian:dev, the name in deploy/daemonset
#   BUILDER   docker or buildah. Default: docker where a daemon answers, else buildah
#   DEBIAN    of docker: the image to build in, another one than docker.io/library/debian:bookworm-slim
#   OUT       out
#
# docker runs the whole Dockerfile, with Debian from its registry. buildah takes the programs that were
# built here and makes the last stage only: no daemon, no registry, no network. The same programs give
# the same image, byte for byte.
set -euo pipefail

cd "$(dirname "$0")/.."
IMAGE=${IMAGE:-registry.local/meridian:dev}
OUT=${OUT:-out}
dockerfile=deploy/daemonset/Dockerfile
archive=$OUT/meridian.tar
daemon_timeout_s=10

die() {
  echo "image: $*" >&2
  exit 1
}

# Of the last commit: the image is as old as what it was made from.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || echo 0)}
export OUT SOURCE_DATE_EPOCH

daemon_answers() {
  command -v docker >/dev/null && timeout "$daemon_timeout_s" docker version >/dev/null 2>&1
}

by_docker() {
  docker build ${DEBIAN:+--build-arg "DEBIAN=$DEBIAN"} --tag "$IMAGE" --file "$dockerfile" . ||
    die "docker build failed; BUILDER=buildah uses the programs that were built here"
  docker save --output "$archive" "$IMAGE"
}

# Nothing is left behind in the user's own store of images.
by_buildah() {
  local store=$OUT/image here

  scripts/deps.sh image
  rm -rf "$store" "$archive"
  mkdir -p "$store"
  # shellcheck disable=SC2064 # the path as it is now
  trap "rm -rf '$store'" EXIT
  here=$(realpath "$store")
  scripts/rootfs.sh "$store/build/rootfs"
  export STORAGE_DRIVER=vfs
  buildah --root "$here/images" --runroot "$here/run" build --quiet --isolation chroot --layers=false \
    --timestamp "$SOURCE_DATE_EPOCH" --file "$dockerfile" --target image \
    --build-context "build=$here/build" --tag "$IMAGE" "$here/build" >/dev/null
  buildah --root "$here/images" --runroot "$here/run" push --quiet "$IMAGE" \
    "docker-archive:$(realpath "$OUT")/meridian.tar:$IMAGE"
}

[[ $IMAGE == */*:* ]] || die "IMAGE is $IMAGE: give it as REGISTRY/NAME:TAG"
builder=${BUILDER:-}
if [[ -z $builder ]]; then
  builder=buildah
  ! daemon_answers || builder=docker
fi
case $builder in
docker) by_docker ;;
buildah) by_buildah ;;
*) die "BUILDER is $builder: docker or buildah" ;;
esac
echo "$archive: $IMAGE, $(du -h "$archive" | cut -f1), by $builder"
