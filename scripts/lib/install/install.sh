# Sourced by scripts/install: puts the agent in place. POSIX sh.
# shellcheck shell=sh disable=SC2154 # shares its names with scripts/install
#
# Steps, and what an end between them leaves:
# 1. the new version is put together in $lib/.new, tried there, flushed to disk: nothing has changed
# 2. renamed to its name: a folder that nobody uses
# 3. users, folders, configuration: the old version does not mind
# 4. units and what belongs to them: until the next start or the next run, new units around the old version
# 5. `current` is turned: from here on the new version starts
# 6. enabled, started; one that does not start is taken back

do_install() {
  check_system
  need_npm
  # shellcheck disable=SC2086 # lists of names
  [ -n "$into" ] || need_debian $agent_packages
  # shellcheck disable=SC2086
  addons_built || need_debian $build_packages
  need_addons

  before=$(readlink "$into$lib/current" 2>/dev/null || true)
  place_version
  place_users
  place_config
  problems=$("$node" "$root/scripts/lib/install/config.ts" --config "$into$config_dir/appliance.json" \
    --default "$root/firmware-config/appliance.json" \
    --credentials "$into$config_dir/credentials" --credentials "$into$config_dir/credentials.encrypted")
  if [ -n "$problems" ] && [ "$start" = yes ]; then
    say "$problems"
    die 'not started, since the agent is not complete; nothing that runs was changed'
  fi
  journal_is_new=
  [ -e "$into$journal" ] || journal_is_new=yes
  place_system_files "$version"
  turn_to "$version"
  make_page_password
  bring_up
  remove_old_versions
  tell_what_next
}

check_system() {
  systemd_version=$(inside systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p' || true)
  [ -n "$systemd_version" ] || die "there is no systemd in ${into:-this system} that this machine can run"
  [ "$systemd_version" -ge 252 ] || die "systemd $systemd_version is too old; Debian 12 has 252"
  [ -n "$into" ] || return 0
  # Node and the addons come from this machine.
  theirs=$(dpkg-query --admindir="$into/var/lib/dpkg" -W -f '${Architecture}' dpkg 2>/dev/null || true)
  ours=$(dpkg --print-architecture)
  [ "$theirs" = "$ours" ] || die "the system in $into is ${theirs:-not Debian}, this machine is $ours; run this on the same kind"
  # shellcheck disable=SC2086 # a list of names
  there=$(dpkg-query --admindir="$into/var/lib/dpkg" -W -f '${Package} ${db:Status-Abbrev}\n' $agent_packages 2>/dev/null |
    sed -n 's/ ii *$//p')
  lacking=
  for package in $agent_packages; do
    printf '%s\n' "$there" | grep -qxF "$package" || lacking="$lacking $package"
  done
  [ -z "$lacking" ] || die "the system in $into lacks packages:$lacking"
}

# Leaves the name of the version in $version, and its folder in place.
place_version() {
  mkdir -p "$into$lib"
  ask_free "$into$lib"
  [ "$free_mb" -ge 512 ] || die "less than 512 MB are free in $into$lib"
  new=$into$lib/.new
  rm -rf "$new"
  version=$("$node" "$root/scripts/lib/install/assemble.ts" --to "$new")
  if [ -d "$into$lib/$version" ]; then
    rm -rf "$new"
    return 0
  fi
  chown -R 0:0 "$new"
  chmod -R u=rwX,go=rX "$new"
  # Another C library or another GStreamer shows here, before anything is changed.
  if ! trouble=$(inside "$lib/.new/bin/node" -e "$try_out" "$lib/.new" 2>&1); then
    rm -rf "$new"
    printf '%s\n' "$trouble" | tail -n 5 >&2
    die "the agent cannot run in ${into:-this system}; nothing was changed"
  fi
  flush
  mv -T "$new" "$into$lib/$version"
  flush
}

# What only shows at run time: the native addons, and that all other modules are there.
try_out='
  const { createRequire } = require("node:module"), { execFileSync } = require("node:child_process");
  const dir = process.argv[1], need = createRequire(dir + "/agent/main.ts");
  for (const addon of ["gstreamer-superficial", "i2c-bus", "epoll"]) need(addon);
  new (need("better-sqlite3"))(":memory:").close();
  execFileSync(process.execPath, [dir + "/agent/main.ts", "--help"]);
'

place_users() {
  inside systemd-sysusers "$lib/$version/systemd/sysusers.d/dachawatch.conf"
  # Not `inside`, where there is no /proc.
  systemd-tmpfiles ${into:+--root="$into"} --create "$into$lib/$version/systemd/tmpfiles.d/dachawatch.conf"
}

# place_system_files VERSION
place_system_files() {
  files | while read -r place file; do
    if wanted "$place"; then put_file "$into$lib/$1/$file" "$into$place"; else rm -f "$into$place"; fi
  done
}

place_config() {
  there=$into$config_dir/appliance.json
  if [ -e "$there" ]; then
    [ -z "$config" ] || cmp -s "$config" "$there" ||
      die "$there is there already and is never overwritten; edit it, or take it away first"
    return 0
  fi
  put_file "${config:-$root/firmware-config/appliance.json}" "$there"
}

# Asked for by a page that is open to others, and shown once. Without it the page stays on loopback and says so.
make_page_password() {
  page_password=
  [ -z "$into" ] || return 0
  [ -d "$state_dir" ] || install -d -m 0700 -o dachawatch -g dachawatch "$state_dir"
  page_password=$("$lib/$version/systemd/page-password" --data "$state_dir" \
    --config "$config_dir/appliance.json" --if-needed) || say 'the page has no password yet'
}

bring_up() {
  if [ -n "$into" ]; then
    systemctl --root="$into" --quiet enable "$agent_unit" "$power_off_unit"
    return 0
  fi
  systemctl daemon-reload
  systemctl --quiet enable "$agent_unit"
  systemctl --quiet enable --now "$power_off_unit"
  [ -z "$journal_is_new" ] || systemctl restart systemd-journald.service
  if [ -S /run/udev/control ]; then
    udevadm control --reload
    udevadm trigger --action=add --subsystem-match=i2c-dev --subsystem-match=gpio
  fi
  started=
  case $start in
    no) return 0 ;;
    when-complete) [ -z "$problems" ] || return 0 ;;
  esac
  # It would interrupt recording for nothing.
  if [ "$before" = "$version" ] && systemctl --quiet is-active "$agent_unit"; then
    started=yes
    return 0
  fi
  say 'starting the agent'
  if systemctl restart "$agent_unit"; then
    started=yes
    return 0
  fi
  journalctl --unit="$agent_unit" --lines=20 --no-pager --output=cat >&2 || true
  if [ -z "$before" ] || [ "$before" = "$version" ]; then
    systemctl stop "$agent_unit"
    die "the agent does not start; its last words stand above. It is stopped until you say: systemctl start $agent_unit"
  fi
  place_system_files "$before"
  turn_to "$before"
  systemctl daemon-reload
  systemctl restart "$agent_unit" || true
  die "the new version does not start, its last words stand above; $before is back"
}

# The one before stays, for a person who wants to go back, and so does one that still runs.
remove_old_versions() {
  [ "$before" != "$version" ] || return 0
  running=
  [ -n "$into" ] || running=$(readlink "/proc/$(systemctl show --property=MainPID --value "$agent_unit")/exe" || true)
  for folder in "$into$lib"/*-*; do
    case ${folder##*/} in "$version" | "$before") continue ;; esac
    case $running in "$folder"/*) continue ;; esac
    rm -rf "$folder"
  done
}

tell_what_next() {
  say "version $version is in $into$lib ($(du -sm "$into$lib/$version" | cut -f1) MB)"
  if [ -n "$problems" ]; then
    say 'before the agent can start:'
    say "$problems"
  fi
  [ -z "$into" ] || return 0
  if [ -n "$started" ]; then
    say "the agent runs: systemctl status $agent_unit"
  elif [ -n "$problems" ]; then
    say "then: systemctl start $agent_unit"
  else
    say "not started; to start it: systemctl restart $agent_unit"
  fi
  say "what it says: journalctl --unit=$agent_unit"
  [ -z "$page_password" ] || say "$page_password"
}
