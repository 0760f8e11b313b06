#!/usr/bin/env bash
# ceph_rgw.sh COMMAND...: runs the command while Ceph's S3 gateway listens on loopback, over a cluster of one monitor
# and one OSD that keeps objects in memory, all in a temporary folder. The command finds the gateway by
# BUCKETLINE_CEPH_RGW (its URL), BUCKETLINE_CEPH_RGW_ACCESS_KEY and BUCKETLINE_CEPH_RGW_SECRET_KEY; the exit code is the
# command's. Needs Debian's ceph-mon, ceph-osd and radosgw.
set -euo pipefail

folder="$(mktemp -d)"
daemons=()
stop() {
  local code=$?
  if [ "$code" != 0 ]; then tail -n 5 "$folder"/*.out >&2 || true; fi
  if [ ${#daemons[@]} -gt 0 ]; then
    kill -KILL "${daemons[@]}" 2>/dev/null || true # nothing of them is kept
    wait "${daemons[@]}" 2>/dev/null || true
  fi
  rm -rf "$folder"
  exit "$code"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
uuid() { cat /proc/sys/kernel/random/uuid; }

# start NAME COMMAND...
start() {
  local name="$1"
  shift
  "$@" >"$folder/$name.out" 2>&1 &
  daemons+=($!)
}

cluster="$(uuid)" osd="$(uuid)" monitor="[v2:127.0.0.1:$(free_port)]" gateway="$(free_port)"
mkdir "$folder/mon" "$folder/osd"
export CEPH_CONF="$folder/ceph.conf"
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $cluster
mon host = $monitor
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = $folder
admin socket = $folder/\$name.\$pid.asok
log file = $folder/\$name.log
crash dir = $folder
mon data = $folder/mon
mon cluster log file = $folder/cluster.log
mon max pg per osd = 1000
osd data = $folder/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
rgw data = $folder
rgw frontends = beast endpoint=127.0.0.1:$gateway
CONF

monmaptool --create --fsid "$cluster" --addv a "$monitor" "$folder/monmap" >"$folder/mkfs.out"
ceph-mon -i a --mkfs --monmap "$folder/monmap"
start mon ceph-mon -f -i a
ceph --connect-timeout 30 osd new "$osd" >"$folder/mkfs.out"
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >"$folder/mkfs.out" 2>&1
start osd ceph-osd -f -i 0

BUCKETLINE_CEPH_RGW_ACCESS_KEY="$(random)" BUCKETLINE_CEPH_RGW_SECRET_KEY="$(random)"
export BUCKETLINE_CEPH_RGW="http://127.0.0.1:$gateway" BUCKETLINE_CEPH_RGW_ACCESS_KEY BUCKETLINE_CEPH_RGW_SECRET_KEY
timeout 120 radosgw-admin user create --uid tests --display-name tests --max-buckets 100000 \
  --access-key "$BUCKETLINE_CEPH_RGW_ACCESS_KEY" --secret-key "$BUCKETLINE_CEPH_RGW_SECRET_KEY" >"$folder/user.out"
start rgw radosgw -f -n client.rgw
curl --silent --output /dev/null --retry 120 --retry-delay 1 --retry-connrefused "$BUCKETLINE_CEPH_RGW"

"$@"
