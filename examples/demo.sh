#!/usr/bin/env bash
# The main job on one machine: serve a bucket on loopback, fill it with labelled images, train on it.
# usage: demo.sh PATH_OF_BUCKETLINE
set -euo pipefail
bucketline="$1"
images="${BUCKETLINE_DEMO_IMAGES:-800}"
epochs="${BUCKETLINE_DEMO_EPOCHS:-12}"

work="$(mktemp -d)"
server=
finish() {
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" || true
  rm -rf "$work"
}
trap finish EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. An S3 endpoint comes up on loopback, with random keys"
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$bucketline" serve "$work/buckets" --bucket demo >"$work/environment" &
server=$!
for _ in $(seq 100); do
  grep -q AWS_REGION "$work/environment" && break
  kill -0 "$server" 2>/dev/null || { echo "the endpoint did not start" >&2; exit 1; }
  sleep 0.1
done
unset AWS_PROFILE AWS_SESSION_TOKEN
. "$work/environment"
echo "$AWS_ENDPOINT_URL_S3"

say "2. $images labelled images are put into s3://demo/images/"
"$bucketline" synthesize s3://demo/images/ --images "$images"

say "3. They are listed"
"$bucketline" ls s3://demo/images/ --folders
"$bucketline" ls s3://demo/images/ --count

say "4. MobileNetV2 trains on them, streamed from the bucket"
"$bucketline" train s3://demo/images/ --labels folder --model mobilenet_v2 --image-size 64 --batch-size 16 \
  --epochs "$epochs" --flip 0.5 --optimizer adam --learning-rate 1e-3 --loss binary_crossentropy --validation-split 0.2 \
  --checkpoint s3://demo/checkpoints/ --seed 0 --memory 256MiB --log "$work/metrics.jsonl"

say "5. The checkpoints in the bucket"
"$bucketline" ls s3://demo/checkpoints/
