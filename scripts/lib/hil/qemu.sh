# Sourced by scripts/hil: a virtual machine with an I2C bus and GPIO lines, and the tests that look into it.
# docs/hardware-in-the-loop.md says what it checks and what it cannot. POSIX sh.
# shellcheck shell=sh disable=SC2154 # shares its names with scripts/hil

# The emulator; what unpacks a kernel and finds the modules it needs; what makes a root file system and its image.
guest_tools='qemu-system-x86 busybox-static kmod xz-utils zstd cpio mmdebstrap debian-archive-keyring e2fsprogs'
# What the power room needs to run. Of the contracts it has only types.
guest_modules='i2c-bus onoff epoll bindings file-uri-to-path lodash.debounce'

rung() {
  [ "$(uname -m)" = x86_64 ] ||
    cannot "it is $(uname -m), and only Debian's kernel for amd64 has both simulated chips (i2c-stub and gpio-sim)"
  [ "$(id -u)" = 0 ] || cannot 'making the root file system of the guest needs root: sudo scripts/hil qemu'
  unshare --mount --pid --fork --mount-proc true 2>/dev/null || cannot 'it does not let us make namespaces'
  # shellcheck disable=SC2086 # a list of names
  hil_needs $guest_tools
  need_npm
  need_addons
  # shellcheck source=scripts/lib/hil/qemu-cache.sh
  . "$root/scripts/lib/hil/qemu-cache.sh"
  mkdir -p "$hil_cache"
  need_mb "$hil_cache" 1500
  # Not followed by ||, in front of which the shell would overlook failures.
  (
    flock 8
    need_kernel
    need_debian_tree
  ) 8>"$hil_cache/lock"

  guest=$(mktemp -d "${TMPDIR:-/tmp}/dachawatch-hil-qemu.XXXXXX")
  trap 'rm -rf --one-file-system "$guest"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  need_mb "$guest" 1500
  step 'making the disk of the guest from this checkout'
  make_guest
  step 'starting the guest; it is emulated instruction by instruction, so all takes its time'
  trap 'end_run 130' INT
  trap 'end_run 143' TERM HUP
  # In a namespace, so that the guest ends with the run, whatever ends it. In the background, so that a signal ends the
  # wait at once.
  # shellcheck disable=SC2016 # expanded in there
  DACHAWATCH_HIL_GUEST=$guest setpriv --pdeathsig KILL \
    unshare --mount --pid --fork --kill-child=KILL --mount-proc --propagation private sh -euc '
      root=$1 node=$2 rung_name=qemu
      shift 2
      . "$root/scripts/lib/hil/common.sh"
      hil_tests "$@"
    ' sh "$root" "$node" "$@" &
  inside_pid=$!
  wait $inside_pid
}

end_run() {
  trap '' INT TERM HUP
  kill -KILL "$inside_pid" 2>/dev/null || true
  wait "$inside_pid" 2>/dev/null || true
  exit "$1"
}

# need_mb FOLDER MB
need_mb() {
  ask_free "$1"
  [ "$free_mb" -ge "$2" ] || cannot "less than $2 MB are free in $1"
}

# Leaves vmlinux, initrd and root.img in $guest.
make_guest() {
  kernel=$(newest kernel)
  cp "$kernel/vmlinux" "$kernel/initrd" "$guest/"
  into=$guest/root
  mkdir "$into"
  tar -xf "$(newest debian)/root.tar" -C "$into"
  tar -xf "$kernel/modules.tar" -C "$into"
  place_product
  # What belongs to the guest alone: units that stand in for the rest of the house.
  cp -r "$root/test/hil/qemu/guest/etc/." "$into/etc/"
  "$node" "$root/test/hil/qemu/with-defaults.ts" "$root/test/hil/qemu/guest/etc/dachawatch/power.json" \
    >"$into/etc/dachawatch/power.json"
  echo dachawatch-guest >"$into/etc/hostname"
  for unit in $guest_masked; do ln -s /dev/null "$into/etc/systemd/system/$unit"; done
  # They look for disks, consoles and old scripts to make units for.
  mkdir -p "$into/etc/systemd/system-generators"
  for generator in "$into"/usr/lib/systemd/system-generators/*; do
    ln -s /dev/null "$into/etc/systemd/system-generators/${generator##*/}"
  done
  systemctl --root="$into" --quiet enable "$agent_unit" "$power_off_unit" hil-player.service ||
    die 'the units of the guest cannot be enabled'
  mkfs.ext4 -q -F -d "$into" "$guest/root.img" "$guest_mb" >"$guest/mkfs.log" 2>&1 || {
    cat "$guest/mkfs.log" >&2
    die 'the disk of the guest cannot be made'
  }
  rm -rf --one-file-system "$into"
}
guest_mb=512M
# They do nothing for these tests and take long when every instruction is emulated. A getty on the console would throw
# away what others write there.
guest_masked='serial-getty@ttyS0.service getty@tty1.service getty-static.service systemd-logind.service dbus.service
  dbus.socket systemd-user-sessions.service systemd-hostnamed.socket systemd-sysext.socket systemd-creds.socket
  systemd-initctl.socket systemd-ask-password-console.path systemd-ask-password-wall.path systemd-firstboot.service
  systemd-machine-id-commit.service systemd-journal-catalog-update.service systemd-update-done.service ldconfig.service
  systemd-random-seed.service systemd-udev-trigger.service systemd-udev-load-credentials.service systemd-sysctl.service
  systemd-remount-fs.service systemd-tmpfiles-clean.timer systemd-tmpfiles-setup-dev.service
  systemd-tmpfiles-setup-dev-early.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service
  proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount
  dev-hugepages.mount dev-mqueue.mount run-lock.mount tmp.mount apt-daily.timer apt-daily-upgrade.timer
  dpkg-db-backup.timer fstrim.timer'

# The agent's files as scripts/install lays them out, apart from what the power room does not touch.
place_product() {
  # shellcheck source=scripts/lib/install/places.sh
  . "$root/scripts/lib/install/places.sh"
  version=$into$lib/hil
  mkdir -p "$version/bin" "$version/node_modules" "$version/test/hil/qemu" "$version/test/fakes" "$version/firmware-config"
  cp -r "$root/agent" "$root/systemd" "$version/"
  cp -r "$root/firmware-config/udev" "$version/firmware-config/"
  cp -r "$root/test/hil/qemu/guest" "$version/test/hil/qemu/"
  cp "$root/test/fakes/smbus-contract.ts" "$version/test/fakes/"
  cp "$root/package.json" "$version/"
  for module in $guest_modules; do cp -r "$root/node_modules/$module" "$version/node_modules/"; done
  cp "$(readlink -f "$node")" "$version/bin/node"
  chown -R 0:0 "$version"
  chmod -R u=rwX,go=rX "$version"
  ln -s hil "$into$lib/current"
  ln -s "$lib/current/bin/node" "$into/usr/bin/node"
  systemd_version=$(inside systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  files | while read -r place file; do
    if wanted "$place"; then put_file "$version/$file" "$into$place"; fi
  done
}
