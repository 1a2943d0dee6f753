# tools/x coverage [FOLDER [TEST]]: lines and branches of a folder that its unit tests reach, from
# clang's source-based coverage, in a build of its own (build/coverage). FOLDER is engine/ROOM, and
# TEST the program that tests it: engine/core and core_test unless named. Then every branch that is
# never taken one way; where tests/unit/ROOM/uncovered.md explains branches, the others are a
# failure. Random tests run from one seed, so that the answer is the same every time. Sourced.

coverage() {
  local folder=${1:-engine/core}
  local test=${2:-${folder##*/}_test} out=build/coverage
  [ -d "$folder" ] || die 2 "there is no folder $folder"
  need_packages build coverage
  if [ ! -f "$out/build.ninja" ]; then
    mkdir -p build
    cmake --preset debug -B "$out" >build/coverage.configure.log 2>&1 \
      -DCMAKE_CXX_FLAGS='-fprofile-instr-generate -fcoverage-mapping' ||
      { cat build/coverage.configure.log >&2; die 1 "cmake could not configure"; }
  fi
  cmake --build "$out" -j "$(jobs)" --target "$test" >&2
  local program=$out/tests/unit/$test
  local environment=(SKALD_SAGAS=20000 RC_PARAMS=seed=1 "LLVM_PROFILE_FILE=$out/$test.profraw"
    "SKALD_SOURCE_DIR=$PWD" "SKALD_BINARY_DIR=$PWD/$out")
  env "${environment[@]}" "$program" --gtest_brief=1 >&2 ||
    die 1 "$test fails; coverage of a failing test says nothing"
  llvm-profdata-19 merge -o "$out/$test.profdata" "$out/$test.profraw"
  llvm-cov-19 export -instr-profile="$out/$test.profdata" "$program" |
    python3 tools/dev/coverage.py "$folder/" "tests/unit/${folder##*/}/uncovered.md"
}
