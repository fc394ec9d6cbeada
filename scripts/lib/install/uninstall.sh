# Sourced by scripts/install: takes the agent off. POSIX sh.
# shellcheck shell=sh disable=SC2154 # shares its names with scripts/install

do_uninstall() {
  if [ -n "$purge" ]; then confirm_purge; fi
  if [ -z "$into" ]; then
    for unit in "$agent_unit" "$power_off_unit"; do
      systemctl --quiet disable --now "$unit" 2>/dev/null || systemctl stop "$unit" 2>/dev/null || true
    done
  else
    systemctl --root="$into" --quiet disable "$agent_unit" "$power_off_unit" 2>/dev/null || true
  fi
  files | while read -r place _; do rm -f "$into$place"; done
  rmdir --ignore-fail-on-non-empty "$into${restart_steps%/*}" "$into${watchdog%/*}" 2>/dev/null || true
  [ -n "$into" ] || systemctl daemon-reload
  rm -rf "$into$cache_dir" "$into$lib"
  if [ -n "$purge" ]; then
    rm -rf "$into$state_dir" "$into$config_dir" "$into$own_drop_ins"
    # Its group goes with it.
    ! inside getent passwd dachawatch >/dev/null || inside userdel dachawatch
    say 'the agent, its recordings and its configuration are removed'
    return 0
  fi
  say "the agent is removed; recordings ($state_dir) and configuration ($config_dir) stay. Those too: --uninstall --purge"
}

confirm_purge() {
  say "this deletes for ever: $into$state_dir ($(held "$into$state_dir")), $into$config_dir with all credentials"
  [ -z "$yes" ] || return 0
  [ -t 0 ] || die 'nobody can be asked here; --yes says that it is meant'
  printf 'type "delete" to go on: ' >&2
  read -r answer
  [ "$answer" = delete ] || die 'nothing was changed'
}

# held FOLDER: how much is in it, for a person.
held() {
  if [ ! -d "$1" ]; then
    echo 'nothing there'
    return 0
  fi
  echo "$(find "$1" -name '*.mp4' | wc -l) clips, $(du -sm "$1" | cut -f1) MB"
}
