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
  (need_debian "$@") || cannot 'Debian packages are missing, see above'
}

# hil_tests FOLDER [FILTER…]: the rung's test files, those whose name contains one of the filters; $hil_at_once of them
# at a time, or one.
hil_tests() {
  folder=$1
  shift
  files=
  for file in "$root/$folder"/*.test.ts; do
    name=${file##*/}
    chosen=
    [ $# -gt 0 ] || chosen=yes
    for filter; do case $name in *"$filter"*) chosen=yes ;; esac; done
    [ -z "$chosen" ] || files="$files $folder/$name"
  done
  [ -n "$files" ] || {
    printf 'scripts/hil %s: no test file in %s has that in its name: %s\n' "$rung_name" "$folder" "$*" >&2
    return 2
  }
  # Whatever hangs is named and ends.
  # shellcheck disable=SC2086 # a list of names
  (cd "$root" && exec "$node" --test --test-concurrency="${hil_at_once:-1}" --test-timeout=300000 $files)
}
