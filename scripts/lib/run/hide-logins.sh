# Sourced by scripts/run. POSIX sh.
# shellcheck shell=sh

# hide_logins "$@": when an argument or the environment holds a login of a camera, starts the script again without it, at
# once and before anything else runs: every user may read the arguments of a process, and its children would inherit its
# environment. What was hidden comes on file descriptor 8, a line each; the arguments name the lines.
hide_logins() {
  hidden=
  lines=0
  newline='
'
  count=$#
  while [ $count -gt 0 ]; do
    argument=$1
    shift
    # Some cameras take the login as a parameter: /user=…&password=…
    case $argument in
      *"$newline"*) ;;
      *://*@* | *://*[Pp][Aa][Ss][Ss]*=* | *://*[Pp][Ww][Dd]=*)
        case $argument in
          --*=*) hide_argument "${argument%%=*}=" "${argument#*=}" ;;
          *) hide_argument '' "$argument" ;;
        esac
        ;;
    esac
    set -- "$@" "$argument"
    count=$((count - 1))
  done
  if [ -n "${DACHAWATCH_CAMERA_LOGIN+set}" ]; then
    lines=$((lines + 1))
    set -- --hidden-login "hidden:$lines" "$@"
    # A line break in it is refused by the one that reads it.
    hidden=$hidden$(printf '%s' "$DACHAWATCH_CAMERA_LOGIN" | tr '\n' '\001')$newline
    unset DACHAWATCH_CAMERA_LOGIN
  fi
  [ $lines -gt 0 ] || return 0
  exec "$0" "$@" 8<<HIDDEN
$hidden
HIDDEN
}

hide_argument() {
  lines=$((lines + 1))
  hidden=$hidden$2$newline
  argument=$1hidden:$lines
}
