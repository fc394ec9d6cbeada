# Sourced by scripts/hil: Debian with systemd as PID 1 in a container, with the agent put there by scripts/install.
# POSIX sh.
# shellcheck shell=sh disable=SC2154 # shares its names with scripts/hil
#
# The system is made once and kept; each run puts its own layers over it, in memory. Mounts and processes live in
# namespaces that end with the run, whatever ends it.

# The addons are built on this machine: they run on the same Debian, and on nothing older.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# systemd alone would boot; the others as on any machine.
guest_packages="systemd systemd-sysv dbus udev libnss-systemd procps $agent_packages"

rung() {
  case $suite in bookworm | trixie) ;; *) cannot "it is not Debian 12 or 13 but ${suite:-something else}" ;; esac
  [ "$(id -u)" = 0 ] || cannot 'it takes root to boot a container; try sudo'
  grep -q '^[^ ]* [^ ]* cgroup2 ' /proc/mounts || cannot 'its kernel has no cgroup2 mounted'
  unshare --mount --pid --fork --mount-proc true 2>/dev/null || cannot 'it does not let us make namespaces'
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || cannot 'its kernel has no overlay file system'
  # shellcheck disable=SC2086 # a list of names
  hil_needs systemd-container mmdebstrap util-linux $run_packages
  need_npm
  need_addons

  mkdir -p "$hil_cache"
  take_turn
  mkdir -p "$hil_cache/work"
  base=$(system_folder)
  # A signal must reach the namespace and not this shell alone; and without this shell it ends.
  trap 'end_run 130' INT
  trap 'end_run 143' TERM HUP
  status=0
  # Where systemd runs this machine, the containers get a part of the tree of cgroups for themselves.
  scope=
  [ ! -d /run/systemd/system ] || scope='systemd-run --quiet --scope --property=Delegate=yes'
  # shellcheck disable=SC2086 # words
  setpriv --pdeathsig KILL $scope unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private \
    sh "$root/scripts/lib/hil/nspawn-inside.sh" "$base" "$hil_cache/work" "$@" &
  inside_pid=$!
  wait $inside_pid || status=$?
  clean_cgroups
  return $status
}

# One run at a time: its system is in one place. Who waits is told for whom.
take_turn() {
  exec 7<"$hil_cache"
  flock -n 7 || {
    step "waiting for another run: $(cat "$hil_cache/at-work" 2>/dev/null || echo 'it has just begun')"
    interruptible flock 7 || exit
  }
  printf 'process %s of %s, since %s\n' $$ "$(id -un)" "$(date +%H:%M:%S)" >"$hil_cache/at-work"
}

end_run() {
  trap '' INT TERM HUP
  kill -KILL "$inside_pid" 2>/dev/null || true
  wait "$inside_pid" 2>/dev/null || true
  clean_cgroups
  exit "$1"
}

# A killed run leaves the cgroups of its containers where no systemd looks after them.
clean_cgroups() {
  # One can be removed once the last process in it is gone.
  tries=0
  while [ $tries -lt 20 ]; do
    left=$(find /sys/fs/cgroup -type d -name 'dachawatch-hil-*' -prune 2>/dev/null)
    [ -n "$left" ] || return 0
    # shellcheck disable=SC2086 # a list of names
    find $left -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.2
    tries=$((tries + 1))
  done
}

# system_folder: prints where the system lies, and makes it first where there is none of these packages.
system_folder() {
  kind=$(printf '%s\n' "$suite" "$(dpkg --print-architecture)" "$guest_packages" | sha256sum | cut -c1-12)
  folder=$hil_cache/$suite-$kind
  if [ ! -d "$folder" ]; then
    ask_free "$hil_cache"
    [ "$free_mb" -ge 3072 ] || cannot "less than 3 GB are free in $hil_cache"
    step "making a Debian $suite system; it is kept in $hil_cache"
    find "$hil_cache" -mindepth 1 -maxdepth 1 ! -name work ! -name at-work -exec rm -rf --one-file-system {} +
    make_system "$folder.new"
    mv -T "$folder.new" "$folder"
  fi
  printf '%s\n' "$folder"
}

# make_system FOLDER
make_system() {
  mkdir -p "$1"
  log=$hil_cache/making.log
  # How this machine reaches its Debian packages: proxies, certificates, clocks that are not trusted.
  apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$hil_cache/apt.conf" || true
  sources=$(find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.sources' -o -name '*.list' 2>/dev/null || true)
  debian=$(printf '%s\n' "$sources" | xargs -r grep -lE "^(deb |Suites:).*\b$suite\b" || true)
  # shellcheck disable=SC2086 # lists of files and packages without spaces
  mmdebstrap --variant=minbase --include="$(echo $guest_packages | tr ' ' ',')" --aptopt="$hil_cache/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' "$suite" "$1" $debian >"$log" 2>&1 || {
    tail -n 15 "$log" >&2
    cannot 'no Debian system could be made; is there a network?'
  }
  rm -f "$log" "$hil_cache/apt.conf"
}
