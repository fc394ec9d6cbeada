# Sourced by scripts/hil before the rung's own file, which defines `rung`. POSIX sh.
# shellcheck shell=sh disable=SC2034,SC2154 # shares its names with scripts/hil and the rungs

# What a rung downloads or builds once, in a folder of its own.
hil_cache=${XDG_CACHE_HOME:-$HOME/.cache}/dachawatch/hil/$rung_name

# cannot REASON: this machine is not able to run the rung, which is no failure of the product.
cannot() {
  printf 'scripts/hil %s: this machine cannot: %s\n' "$rung_name" "$*" >&2
  exit 3
}

step() { say "[$rung_name $(date +%H:%M:%S)] $*"; }

# hil_needs PACKAGE…: Debian packages of the rung.
hil_needs() {
  command -v apt-get >/dev/null || cannot 'it is not Debian'
  interruptible install_debian "$@" || cannot 'Debian packages are missing, see above'
}

# hil_files [FILTER…]: prints the rung's test files, those whose name contains one of the filters.
hil_files() {
  folder=test/hil/$rung_name
  # A rung without tests says itself what it is for.
  [ -d "$root/$folder" ] || return 0
  for filter; do
    case $filter in
      '') refuse 'a filter is empty; is a variable unset?' ;;
      -*) refuse "there is no option \"$filter\"; see scripts/hil --help" ;;
    esac
    ls "$root/$folder"/*"$filter"*.test.ts >/dev/null 2>&1 ||
      refuse "no test file in $folder has \"$filter\" in its name"
  done
  for file in "$root/$folder"/*.test.ts; do
    name=${file##*/}
    chosen=
    [ $# -gt 0 ] || chosen=yes
    for filter; do case ${name%.test.ts} in *"$filter"*) chosen=yes ;; esac; done
    [ -z "$chosen" ] || printf '%s\n' "$folder/$name"
  done
}

# hil_tests [FILTER…]: runs them, $hil_at_once at a time, or one.
hil_tests() {
  files=$(hil_files "$@")
  # Whatever hangs is named and ends.
  # shellcheck disable=SC2086 # a list of names
  (cd "$root" && exec "$node" --test --test-concurrency="${hil_at_once:-1}" --test-timeout=300000 $files)
}
