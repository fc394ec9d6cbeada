# shellcheck shell=sh
# Sourced by scripts/test for `scripts/test fresh`: proves the README on a new machine. A minimal Debian gets
# npm, this machine's way to the package registries and a clone of the current commit; then a newcomer's
# two commands run in it. Nothing else of this machine is seen there, apart from its network and its kernel.
#
# Whatever ends it, nothing stays: mounts and processes live in namespaces that end with it, the folder is removed.

newcomer_dir=/root/dachawatch

# fresh [12|13]
fresh() {
  case ${1-12} in
    12) suite=bookworm ;;
    13) suite=trixie ;;
    *) refuse "fresh knows Debian 12 and 13, not \"$1\"" ;;
  esac
  [ "$(id -u)" = 0 ] || die 'fresh makes a Debian system of its own, which needs root'
  need_debian mmdebstrap git util-linux
  fresh_dir=$(mktemp -d "${TMPDIR:-/tmp}/dachawatch-fresh.XXXXXX")
  fresh_log=$fresh_dir.log
  trap 'end_fresh $?' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  ask_free "$fresh_dir"
  [ "$free_mb" -ge 10240 ] || die "less than 10 GB are free in ${TMPDIR:-/tmp}; another place can be named with TMPDIR"

  if [ -n "$(git -C "$root" status --porcelain)" ]; then
    step 'there are changes that are not committed: they are NOT part of this proof'
  fi
  step "making a Debian $suite system with npm"
  make_system "$fresh_dir/system"
  step "cloning $(git -C "$root" rev-parse --short HEAD) into it"
  git clone --quiet --no-hardlinks "$root" "$fresh_dir/system$newcomer_dir"
  newcomer 'scripts/run --until-verdict --json'
  grep -q '^{.*"verdict":' "$fresh_dir/output" || die 'scripts/run ended without a verdict'
  newcomer 'scripts/test'
  step 'the README holds on a new machine'
}

step() { say "[fresh $(date +%H:%M:%S)] $*"; }

# make_system FOLDER
make_system() {
  # How this machine reaches its Debian packages: proxies, certificates, clocks that are not trusted.
  apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$fresh_dir/apt.conf" || true
  own_suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  sources=$(find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.sources' -o -name '*.list' 2>/dev/null || true)
  # The mirror of this machine has the other Debian too.
  mkdir "$fresh_dir/sources"
  printf '%s\n' "$sources" | xargs -r grep -lE "^(deb |Suites:).*\b$own_suite(-updates|-security)?( |$)" |
    while read -r file; do
      sed -E "s/\b$own_suite\b/$suite/g" "$file" >"$fresh_dir/sources/$(basename "$file")"
    done
  debian=$(find "$fresh_dir/sources" -type f)
  # shellcheck disable=SC2086 # a list of files without spaces
  mmdebstrap --variant=minbase --include=ca-certificates,npm --aptopt="$fresh_dir/apt.conf" \
    "$suite" "$1" $debian >>"$fresh_log" 2>&1 || {
    tail -n 15 "$fresh_log" >&2
    die 'no Debian system could be made'
  }
  for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e $file ] || cat $file >"$1$file"
  done
  # Certificates that this machine trusts beside Debian's own, and npm's way to its registry.
  if [ -d /usr/local/share/ca-certificates ]; then
    cp -r /usr/local/share/ca-certificates "$1/usr/local/share/"
    chroot "$1" update-ca-certificates >>"$fresh_log" 2>&1
  fi
  {
    echo 'cafile=/etc/ssl/certs/ca-certificates.crt'
    ! command -v npm >/dev/null || for key in registry proxy https-proxy noproxy; do
      value=$(cd / && npm config get $key 2>/dev/null)
      case $value in '' | null | undefined) ;; *) echo "$key=$value" ;; esac
    done
  } >"$1/etc/npmrc"
}

# newcomer COMMAND: runs it in the clone, and fails with it. Its output is also in $fresh_dir/output.
newcomer() {
  step "newcomer: $1"
  # In the background, so that a signal ends the wait at once.
  {
    enter "$1" &
    echo $! >"$fresh_dir/pid"
    wait $! && echo 0 >"$fresh_dir/status"
  } 2>&1 | tee -a "$fresh_log" >"$fresh_dir/output" &
  shown=$!
  tail -n +1 -f --pid=$shown --sleep-interval=0.5 "$fresh_dir/output" >&2 &
  wait $!
  [ "$(cat "$fresh_dir/status" 2>/dev/null)" = 0 ] || die "a newcomer's $1 failed"
  rm "$fresh_dir/status" "$fresh_dir/pid"
}

# The first process in there is the inner shell: when it ends, the kernel ends everything else.
enter() {
  # shellcheck disable=SC2016 # expanded in there
  exec unshare --mount --pid --ipc --uts --fork --kill-child=KILL sh -euc '
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/dev/shm"
    mount -t tmpfs tmpfs "$1/run"
    status=0
    env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      chroot "$1" sh -c "cd \"\$0\" && $3" "$2" || status=$?
    exit $status
  ' sh "$fresh_dir/system" "$newcomer_dir" "$1" </dev/null
}

end_fresh() {
  trap '' INT TERM HUP
  [ ! -e "$fresh_dir/pid" ] || kill -KILL "$(cat "$fresh_dir/pid")" 2>/dev/null || true
  # The folder can be removed once the last process in it is gone.
  tries=0
  until rm -rf --one-file-system "$fresh_dir" 2>/dev/null || [ $tries -ge 20 ]; do
    tries=$((tries + 1))
    sleep 0.5
  done
  if [ "$1" = 0 ]; then rm -f "$fresh_log"; else step "FAILED; the log is kept in $fresh_log"; fi
  exit "$1"
}
