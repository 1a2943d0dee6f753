#!/usr/bin/env bash
# skaldd and skaldctl as processes: the ready line, who holds the data directory, refused settings,
# a saga that outlives kill -9, draining, and what skaldctl ends with.
# Environment: SKALDD, SKALDCTL.
set -uo pipefail
unset SKALD_SERVER NO_COLOR ${!SKALD_ENGINE_@}

folder=$(mktemp -d)
pid=
fails=0

finish() {
  [[ -n $pid ]] && kill -9 "$pid" 2>/dev/null
  rm -rf "$folder"
}
trap finish EXIT

# claim "words" STATUS EXPECTED: one line per claim.
claim() {
  if [[ $2 == "$3" ]]; then
    echo "ok    $1"
  else
    echo "WRONG $1: $2 instead of $3"
    fails=$((fails + 1))
  fi
}

# says "words" TEXT PATTERN
says() {
  if grep -qE -- "$3" <<<"$2"; then
    echo "ok    $1"
  else
    echo "WRONG $1: no /$3/ in: $2"
    fails=$((fails + 1))
  fi
}

# start: sets pid and server once the ready line is there.
start() {
  local line
  exec {out}< <(exec "$SKALDD" --data "$folder/data" --listen 127.0.0.1:0 "$@" 2>>"$folder/log")
  pid=$!
  if ! read -r -t 60 line <&"$out"; then
    echo "skaldd did not get ready:"
    cat "$folder/log"
    exit 1
  fi
  says "the ready line names address and process" "$line" \
    "^skaldd ready listen=127\.0\.0\.1:[0-9]+ pid=$pid\$"
  line=${line#*listen=}
  server=http://${line%% *}
}

ctl() { "$SKALDCTL" --server "$server" "$@" 2>&1; }

start
answer=$("$SKALDD" --data "$folder/data" --listen 127.0.0.1:0 2>&1)
claim "a second skaldd on the directory fails" $? 1
says "and names the holder" "$answer" "in use by process $pid"

answer=$("$SKALDD" --data "$folder/other" --listen 0.0.0.0:0 2>&1)
claim "another address than loopback is refused" $? 2
says "and says how to insist" "$answer" "--insecure-listen"
printf 'engine:\n  thread: 3\n' >"$folder/skald.yaml"
answer=$("$SKALDD" --config "$folder/skald.yaml" --print-config 2>&1)
claim "an unknown key is refused" $? 2
says "with file and line" "$answer" "skald\.yaml:2: engine\.thread: unknown key; did you mean"
answer=$(SKALD_LOG_LEVEL=debug "$SKALDD" --print-config --threads 3)
says "flags show as origins" "$answer" "threads: 3 +# --engine-threads"
says "so does the environment" "$answer" "level: debug +# SKALD_LOG_LEVEL"

cat >"$folder/wait.json" <<'JSON'
{"name": "patient", "steps": [
  {"name": "paid", "wait": {"signal": "paid", "timeoutMs": "3600000", "onTimeout": "reject"}}]}
JSON
id=$(ctl submit --inline "$folder/wait.json" --key patient-1 --business-key SN1 -o name)
claim "a saga is submitted" $? 0
answer=$(ctl explain "$id")
says "it says what it awaits" "$answer" "waits for the signal paid and is refused in (59 min|1 h)"

kill -9 "$pid"
wait "$pid" 2>/dev/null
start
answer=$(ctl show --key patient-1)
claim "it is there after kill -9" $? 0
says "still waiting" "$answer" "paid +waiting"
answer=$(ctl list --status running -o jsonl)
says "and listed" "$answer" "\"sagaId\":\"$id\""
ctl wait "$id" --timeout 200ms >/dev/null
claim "a wait that ends first ends with 8" $? 8
ctl cancel "$id" </dev/null >/dev/null
claim "a pipe is never asked: 6" $? 6
ctl signal "$id" --name paid --payload '{"cents":500}' >/dev/null
claim "the signal is taken" $? 0
ctl wait "$id" >/dev/null
claim "and ends the wait" $? 0
ctl cancel "$id" --yes >/dev/null
claim "a finished saga refuses a cancel: 5" $? 5
ctl show 00000000000000000000000000 >/dev/null
claim "an unknown saga: 3" $? 3
ctl show nonsense >/dev/null
claim "no saga id: 2" $? 2
answer=$(ctl history "$id")
says "its history tells the signal" "$answer" "signal paid \(skaldctl-[0-9a-f]{16}\) received"

kill -TERM "$pid"
wait "$pid"
claim "SIGTERM drains and ends with 0" $? 0
pid=
ctl list >/dev/null
claim "nobody answers: 1" $? 1
says "the log holds no payload" "$(grep -c cents "$folder/log")" '^0$'

echo "$fails wrong"
exit $((fails > 0))
