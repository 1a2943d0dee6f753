# shellcheck shell=bash
# tools/x test [--preset P] [filter]: build, run ctest, and end with a line of counts. Sourced.

run_tests() {
  local preset=release filter=()
  while [ $# -gt 0 ]; do
    case $1 in
      --preset)
        [ $# -gt 1 ] || die 2 "--preset needs a name: $(presets | xargs)"
        preset=$2
        shift
        ;;
      --preset=*) preset=${1#*=} ;;
      -*) die 2 "tools/x test does not know the option '$1'" ;;
      *) filter=(-R "$1") ;;
    esac
    shift
  done
  presets | grep -qx -- "$preset" || die 2 "there is no preset '$preset', only: $(presets | xargs)"
  # Any node serves; Debian's is installed only where there is none.
  command -v npm >/dev/null || need_packages node
  configure "$preset"
  # With a filter, only the matching programs are built, when each match is one of our programs.
  local targets=()
  [ ${#filter[@]} -eq 0 ] || mapfile -t targets < <(programs_matching "$preset" "${filter[1]}")
  build "$preset" "${targets[@]+"${targets[@]}"}"

  local started=$SECONDS status=0
  ctest --preset "$preset" -j "$(jobs)" --no-tests=error --no-label-summary \
    "${filter[@]+"${filter[@]}"}" || status=$?
  count_tests "$preset" $((SECONDS - started)) "$status"
  return "$status"
}

# The names of the tests that match, or nothing when one of them is not a program of the build.
programs_matching() { # PRESET filter
  local names
  names=$(ctest --preset "$1" -N -R "$2" | sed -n 's/^ *Test *#[0-9]*: //p')
  ninja -C "build/$1" -t targets all | awk -F: -v names="$names" '
    { target[$1] }
    END {
      count = split(names, name, "\n")
      for (i = 1; i <= count; i++) if (!(name[i] in target)) exit
      print names
    }' | grep . || true
}

# One line: programs from ctest's own log, cases from what gtest prints.
count_tests() {
  local preset=$1 seconds=$2 status=$3
  local log=build/$preset/Testing/Temporary/LastTest.log
  awk -v preset="$preset" -v seconds="$seconds" -v status="$status" '
    /^Test Passed\.$/ { passed++ }
    /^Test Failed\.$|^Test timeout|^Unable to find executable/ { failed++ }
    /^\[  PASSED  \] [0-9]+ tests?/ { cases += $4 }
    /^\[  FAILED  \] [0-9]+ tests?, listed below/ { failed_cases += $4 }
    /^\[  SKIPPED \] [0-9]+ tests?, listed below/ { skipped += $4 }
    END {
      printf "%s: %d programs passed, %d failed; %d cases passed, %d failed, %d skipped;" \
        " %d s (%s)\n", status == 0 ? "tests passed" : "TESTS FAILED",
        passed, failed, cases, failed_cases, skipped, seconds, preset
    }' "$log"
}
