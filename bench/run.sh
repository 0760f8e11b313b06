#!/usr/bin/env bash
# Puts a folder of images into versitygw on loopback and streams it back: the figures of the README's table.
# usage: run.sh BUILD_DIR [FOLDER [bucketline bench options...]]
set -euo pipefail
build="$1"
folder="${2:-}"
shift $(($# < 2 ? $# : 2))
bucketline="$build/bin/bucketline"

work="$(mktemp -d)"
server=
finish() {
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
unset AWS_PROFILE AWS_SESSION_TOKEN
export AWS_ENDPOINT_URL_S3="http://127.0.0.1:$port" AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY="$(head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n')"
mkdir "$work/buckets" "$work/buckets/bench"
ROOT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" ROOT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" "$BUCKETLINE_VERSITYGW" \
  --port "127.0.0.1:$port" --quiet --keep-alive --health /health posix "$work/buckets" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  "$bucketline" ls s3://bench/ --count --max-attempts 1 --deadline 1s >/dev/null 2>"$work/probe" && break
  grep -q 'nothing here' "$work/probe" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

if [ -n "$folder" ]; then
  "$bucketline" put "$folder" s3://bench/images/
else
  echo "no folder was given: 500 synthetic images of 400 x 400" >&2
  "$bucketline" synthesize s3://bench/images/ --images 500 --size 400
fi
"$bucketline" bench s3://bench/images/ --crop random_resized --size 224 --batch-size 32 --epochs 3 --labels none "$@"
