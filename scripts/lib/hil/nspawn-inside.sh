#!/bin/sh
# Run by nspawn.sh in namespaces of its own: nspawn-inside.sh SYSTEM MOUNTPOINT [FILTER…]. What is mounted and
# started here ends with this shell, which is the first process of its namespace.
set -eu
rung_name=nspawn
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)
node=$root/node_modules/.bin/node
PATH=$root/node_modules/.bin:$PATH
say() { printf '%s\n' "$*" >&2; }
# shellcheck source=scripts/lib/hil/common.sh
. "$root/scripts/lib/hil/common.sh"

base=$1
work=$2
shift 2
mount -t tmpfs -o mode=0755 dachawatch-hil "$work"
# nspawn cleans up after itself only where this lies in memory.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 dachawatch-hil /run/systemd/nspawn

step 'installing the agent into it'
mkdir "$work/installed" "$work/installed.work" "$work/merged"
mount -t overlay -o "lowerdir=$base,upperdir=$work/installed,workdir=$work/installed.work" overlay "$work/merged"
"$root/scripts/install" --root "$work/merged"
umount "$work/merged"

# Much of each is waiting: for a watchdog, for a restart.
hil_at_once=2
step 'booting it'
DACHAWATCH_HIL_WORK=$work DACHAWATCH_HIL_LOWER=$work/installed:$base hil_tests "$@"
