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

# hil_tests FOLDER [FILTER…]: the rung's tests, those whose name contains one of the filters. Two tests at a time would
# fight over the guest.
hil_tests() {
  folder=$1
  shift
  for filter; do
    # shellcheck disable=SC2016 # what follows is a pattern
    set -- "$@" "--test-name-pattern=$(printf '%s' "$filter" | sed 's/[][\.*^$()+?{}|/]/\\&/g')"
    shift
  done
  (cd "$root" && exec "$node" --test --test-concurrency=1 "$@" "$folder/*.test.ts")
}
