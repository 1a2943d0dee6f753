#!/usr/bin/env bash
# tools/x fresh [--keep]: what somebody sees who has only a Debian 12 and this repository. Makes a
# bare root with debootstrap from the mirror this machine uses, clones the checkout's HEAD into it,
# and runs the demo and the tests there. Needs root and the network; takes as long as a full build.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
source tools/dev/shared.sh

keep=
case ${1:-} in
  --keep) keep=1 ;;
  '') ;;
  *) die 2 "tools/x fresh knows only --keep" ;;
esac
[ "$(id -u)" -eq 0 ] || die 4 "fresh needs root, because debootstrap and chroot do"
need_packages fresh

# The first Debian mirror of this machine's apt, in either of its formats.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
  awk '/^[ \t]*#/ { next }
       $1 == "URIs:" { for (i = 2; i <= NF; i++) print $i }
       $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; break } }' |
  grep -E '/debian/?$' | head -n 1 || true)
[ -n "$mirror" ] || die 4 "no Debian mirror found in /etc/apt/sources.list or sources.list.d"

work=$(mktemp -d "${TMPDIR:-/tmp}/skald-fresh.XXXXXX")
bare=$work/debian
clean_up() {
  mountpoint -q "$bare/dev/pts" && umount "$bare/dev/pts"
  mountpoint -q "$bare/proc" && umount "$bare/proc"
  if [ -n "$keep" ]; then say "kept: $work"; else rm -rf --one-file-system "$work"; fi
}
trap clean_up EXIT

say "== a bare Debian 12 from $mirror"
debootstrap --variant=minbase --include=ca-certificates bookworm "$bare" "$mirror" \
  >"$work/debootstrap.log" 2>&1 ||
  { tail -n 5 "$work/debootstrap.log" >&2; die 5 "debootstrap failed"; }

# The machine's own way to packages: sources, proxies, certificates, names.
copy_into() { # PATH...: each that exists, to the same place in the root
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$bare$(dirname "$path")"
    cp -aL --remove-destination "$path" "$bare$(dirname "$path")/"
  done
}
rm -f "$bare/etc/apt/sources.list"
copy_into /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/sources.list /etc/apt/auth.conf \
  /etc/apt/preferences.d /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt
for list in /etc/apt/sources.list.d/*; do
  if grep -q '/debian' "$list" 2>/dev/null; then copy_into "$list"; fi
done

mount -t proc proc "$bare/proc" ||
  die 5 "proc cannot be mounted here, so nothing can run in a chroot"
# Terminals, for the tests that look at skaldctl in one.
mkdir -p "$bare/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$bare/dev/pts" &&
  ln -sfn pts/ptmx "$bare/dev/ptmx"
[ -e "$bare/dev/fd" ] || ln -s /proc/self/fd "$bare/dev/fd"

git clone -q --no-hardlinks . "$bare/home/skald"
mapfile -t proxies < <(env | grep -iE '^[a-z]+_proxy=' || true)
inside() { # command...: in the checkout, in a clean environment that keeps proxies
  env -i HOME=/home PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 SKALD_JOBS="$(jobs)" \
    "${proxies[@]+"${proxies[@]}"}" \
    chroot "$bare" /bin/sh -c 'cd /home/skald && exec "$@"' sh "$@" </dev/null
}
inside true || die 5 "chroot does not work here"

failed=0
for command in 'tools/x demo --once -y' 'tools/x test -y'; do
  started=$SECONDS
  say "== fresh: $command"
  # shellcheck disable=SC2086
  if inside $command; then
    say "== ok after $((SECONDS - started)) s: $command"
  else
    say "== FAILED after $((SECONDS - started)) s: $command"
    failed=1
  fi
done
exit "$failed"
