#!/bin/sh
# PID 1 of a guest without systemd: starts the chips, then what looks at them, then switches off.
exec </dev/null >/dev/ttyS0 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin NODE_DISABLE_COLORS=1
here=/usr/lib/dachawatch/current/test/hil/qemu/guest
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
if sh $here/devices.sh; then
  node --test-reporter=$here/reporter.ts $here/contract.ts
  for program in buses absent lines; do
    node $here/$program.ts
    printf '\n@hil {"fact":"%s.exit","code":%s}\n' $program $?
  done
fi
sync
poweroff -f -f
