# shellcheck shell=bash
# What the verbs of tools/x share: messages, packages, building. Sourced; the caller is in the root.

say() { printf '%s\n' "$*" >&2; }
die() { # CODE sentence
  local code=$1
  shift
  say "tools/x: $*"
  exit "$code"
}

jobs() { echo "${SKALD_JOBS:-$(nproc)}"; }

# Packages of one section of tools/packages.txt.
packages_of() {
  awk -v want="[$1]" '{ sub(/#.*/, "") } /^\[/ { on = ($1 == want); next } on && NF { print $1 }' \
    tools/packages.txt
}

# Installs what dpkg says is missing from the named sections.
# Errors: exit 4, with the command to run.
need_packages() {
  local missing=() package section
  for section in "$@"; do
    for package in $(packages_of "$section"); do
      [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing+=("$package")
    done
  done
  [ ${#missing[@]} -eq 0 ] && return

  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null ||
    die 4 "this is not Debian 12; install the equivalents of: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die 4 "run this as root, then again: $command"
    if [ -z "${SKALD_YES:-}" ]; then
      [ -t 0 ] || die 4 "packages are missing; run with -y, or as root: $command"
      say "missing packages: ${missing[*]}"
      read -r -p "install them with sudo apt-get? [y/N] " answer
      [ "$answer" = y ] || die 4 "nothing installed; the command is: $command"
    fi
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  # An update only when the lists do not know a package: it costs seconds and the network.
  local apt=("${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  apt-cache show --no-all-versions "${missing[@]}" >/dev/null 2>&1 || "${apt[@]}" update
  local install=("${apt[@]}" install -y --no-install-recommends "${missing[@]}")
  "${install[@]}" >/dev/null || { "${apt[@]}" update && "${install[@]}" >/dev/null; } ||
    die 4 "apt-get could not install them; see above, or try: $command"
}

presets() { grep -oP '"configurePreset": "\K[a-z]+' CMakePresets.json | sort -u; }

configure() { # PRESET: makes or refreshes its build files, new and removed sources included
  local preset=$1
  need_packages build
  local log="build/$preset.configure.log" how=(ninja -C "build/$preset" build.ninja)
  mkdir -p build
  [ -f "build/$preset/build.ninja" ] ||
    how=(env "SKALD_PCH=${SKALD_PCH:-ON}" cmake --preset "$preset")
  "${how[@]}" >"$log" 2>&1 || { cat "$log" >&2; die 1 "cmake could not configure build/$preset"; }
}

# build [PRESET] [target...]
build() {
  local preset=release targets=()
  if presets | grep -qx -- "${1:-}"; then
    preset=$1
    shift
  fi
  configure "$preset"
  [ $# -eq 0 ] || targets=(--target "$@")
  cmake --build "build/$preset" -j "$(jobs)" "${targets[@]+"${targets[@]}"}" >&2
}

# Runs the script that a verb stands for, once it exists.
run_script() {
  local script=$1
  shift
  [ -x "$script" ] || die 3 "there is nothing to run yet: $script does not exist"
  need_packages build
  exec "$script" "$@"
}
