# shellcheck shell=bash
# tools/x fmt and tools/x tidy: checks that read the source and do not run it. Sourced.

fmt() {
  need_packages check
  local mode=(-i)
  case ${1:-} in
    --check) mode=(--dry-run -Werror) ;;
    '') ;;
    *) die 2 "tools/x fmt knows only --check" ;;
  esac
  local found=0
  git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' '*.proto' |
    xargs -0 -r -n 40 -P "$(jobs)" clang-format-19 "${mode[@]}" 2>&1 |
    sed -n 's/:[0-9:]* error: code should be.*/: not formatted/p' | sort -u >&2 || found=1
  [ "$found" -eq 0 ] || die 1 "run tools/x fmt"
}

tidy() {
  case ${1:-} in
    '' | --clang) ;;
    *) die 2 "tools/x tidy knows only --clang" ;;
  esac
  python3 tools/tidy/tidy.py
  [ "${1:-}" = --clang ] || return 0
  need_packages check
  build release
  git ls-files -z 'engine/*.cc' 'sagas/*.cc' 'participants/*.cc' 'tools/*.cc' |
    xargs -0 -r -n 4 -P "$(jobs)" clang-tidy-19 --quiet -p build/release
}
