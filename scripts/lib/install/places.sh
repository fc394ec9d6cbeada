# Sourced by scripts/install: what lies where, below the prefix $into. POSIX sh.
# shellcheck shell=sh disable=SC2034,SC2154 # shares its names with scripts/install

# One folder for each version, and `current`, a link to the one that runs, which an upgrade turns in one step.
lib=/usr/lib/dachawatch
agent_unit=dachawatch-agent.service
power_off_unit=dachawatch-power-off.path
units="$agent_unit $power_off_unit dachawatch-power-off.service"

state_dir=/var/lib/dachawatch
cache_dir=/var/cache/dachawatch
config_dir=/etc/dachawatch
own_drop_ins=/etc/systemd/system/$agent_unit.d

# "PLACE FILE", a line each: where it goes, and where it lies in the version's folder. Copies: systemctl would follow
# links, and enable a unit of one version for ever.
files() {
  for unit in $units; do echo "/usr/lib/systemd/system/$unit systemd/$unit"; done
  echo '/usr/lib/sysusers.d/dachawatch.conf systemd/sysusers.d/dachawatch.conf'
  echo '/usr/lib/tmpfiles.d/dachawatch.conf systemd/tmpfiles.d/dachawatch.conf'
  echo '/usr/lib/modules-load.d/dachawatch.conf systemd/modules-load.d/dachawatch.conf'
  echo "$journal systemd/journald.conf.d/dachawatch.conf"
  echo '/etc/udev/rules.d/60-dachawatch.rules firmware-config/udev/60-dachawatch.rules'
  echo "$restart_steps systemd/since-254/restart-steps.conf"
  echo "$watchdog systemd/system.conf.d/dachawatch-watchdog.conf"
}
journal=/usr/lib/systemd/journald.conf.d/dachawatch.conf
restart_steps=/usr/lib/systemd/system/$agent_unit.d/restart-steps.conf
watchdog=/usr/lib/systemd/system.conf.d/dachawatch-watchdog.conf

# wanted PLACE: whether it is for this system.
wanted() {
  case $1 in
    "$restart_steps") [ "$systemd_version" -ge 254 ] ;;
    "$watchdog") is_raspberry_pi ;;
  esac
}

is_raspberry_pi() {
  if [ -n "$into" ]; then [ -e "$into/etc/rpi-issue" ]; else grep -qs 'Raspberry Pi' /proc/device-tree/model; fi
}

# inside COMMAND…: runs it in the system that is installed into.
inside() {
  if [ -n "$into" ]; then chroot "$into" "$@"; else "$@"; fi
}

# put_file FILE PLACE: whole or not at all.
put_file() {
  ! cmp -s "$1" "$2" || return 0
  mkdir -p "${2%/*}"
  cp "$1" "$2.new"
  chmod 0644 "$2.new"
  sync "$2.new"
  mv -T "$2.new" "$2"
}

# turn_to VERSION: from here on it is the one that starts.
turn_to() {
  ln -sfn "$1" "$into$lib/current.new"
  mv -T "$into$lib/current.new" "$into$lib/current"
  flush
}

flush() { sync -f "$into$lib"; }
