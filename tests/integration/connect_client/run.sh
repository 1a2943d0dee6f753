#!/usr/bin/env bash
# Installs the client by package-lock.json (once per lock file), describes the services, runs the
# tests. Environment: SKALDD, SKALD_SOURCE_DIR, SKALD_BINARY_DIR. Without node and npm it says so
# and ends with 77, which ctest shows as skipped.
set -euo pipefail
here=$SKALD_SOURCE_DIR/tests/integration/connect_client
folder=$SKALD_BINARY_DIR/connect_client

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "node and npm are not installed: the Connect client cannot be tried" >&2
  exit 77
fi
mkdir -p "$folder"
cp "$here"/*.mjs "$here"/package.json "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/node_modules/.installed"; then
  cp "$here/package-lock.json" "$folder"
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
  cp "$here/package-lock.json" "$folder/node_modules/.installed"
fi
export SKALD_DESCRIPTORS=$folder/skald.binpb
protoc --proto_path="$SKALD_SOURCE_DIR/proto" --include_imports \
  --descriptor_set_out="$SKALD_DESCRIPTORS" skald/v1/service.proto
cd "$folder"
exec node --test --test-reporter=spec connect_client_test.mjs
