# Sourced by qemu.sh: what the guest is made of and does not change with the checkout. Each thing lies in the cache in
# a folder of its own, named after its version and the version of these steps, and comes there by a rename: an
# interrupted run leaves a folder that nobody uses, which the next one removes. To have newer ones, delete the cache.
# shellcheck shell=sh disable=SC2154 # shares its names with scripts/hil

guest_suite=trixie
# Modules that the guest needs before it has its disk, and on it. i2c-i801 is the bus of the emulated PC: it takes the
# number 0, so that the stub is bus 1, as the UPS on a Raspberry Pi.
boot_modules='virtio_pci virtio_blk ext4'
disk_modules='i2c-i801 i2c-dev i2c-stub gpio-sim softdog'
guest_packages=systemd,systemd-sysv,dbus,udev,kmod,libstdc++6
guest_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Changes with what is written here, so that other steps never find an old result.
steps=$(cksum <"$root/scripts/lib/hil/qemu-cache.sh" | cut -d' ' -f1)

# newest KIND: its folder.
newest() {
  find "$hil_cache" -maxdepth 1 -name "$1-*-$steps" | sort -V | tail -n 1
}

# begin KIND: leaves an empty folder $making, and takes away what was interrupted.
begin() {
  rm -rf "$hil_cache/making-$1"
  making=$hil_cache/making-$1
  mkdir "$making"
}

# finish KIND VERSION: takes away the old one.
finish() {
  sync -f "$making"
  rm -rf "$hil_cache/$1-"*
  mv -T "$making" "$hil_cache/$1-$2-$steps"
}

# need_kernel: Debian's newest kernel for $guest_suite, from its backports: the stable one has no gpio-sim.
need_kernel() {
  [ -z "$(newest kernel)" ] || return 0
  begin kernel
  step "asking Debian for the newest kernel of $guest_suite-backports"
  private_apt "$making"
  apt-get -o APT::Update::Error-Mode=any update >"$making/apt.log" 2>&1 || cannot_fetch 'the package lists of Debian' "$making/apt.log"
  package=$(apt-cache depends "linux-image-amd64=$(backport linux-image-amd64)" |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
  release=${package#linux-image-}
  [ -n "$release" ] || cannot "$guest_suite-backports has no kernel for amd64"
  # Newer ones come in parts; what there is of them.
  parts=
  for part in image base binary modules; do
    ! apt-cache show "linux-$part-$release" >/dev/null 2>&1 || parts="$parts linux-$part-$release"
  done
  step "fetching Linux $release, about 120 MB"
  # shellcheck disable=SC2086 # a list of names
  (cd "$making" && apt-get download $parts) >"$making/apt.log" 2>&1 || cannot_fetch "Linux $release" "$making/apt.log"
  unset APT_CONFIG
  tree=$making/tree
  mkdir -p "$tree/usr/lib"
  ln -s usr/lib "$tree/lib"
  for deb in "$making"/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$tree"; done
  depmod -b "$tree" "$release"
  unpack_kernel "$(find "$tree/boot" "$tree/lib/modules/$release" -maxdepth 1 -name 'vmlinuz*' 2>/dev/null | head -n 1)"
  make_initrd
  pack_modules
  rm -rf "$tree" "$making"/*.deb "$making/apt" "$making/apt.log"
  finish kernel "$release"
}

# private_apt FOLDER: apt with lists of its own and the way to the network that this machine has, checked against the
# keys of Debian. In this process only.
private_apt() {
  find_mirror
  mkdir -p "$1/apt/lists/partial" "$1/apt/archives/partial"
  : >"$1/apt/status"
  {
    debian_source
    debian_source -backports
  } >"$1/apt/sources.list"
  {
    echo "Dir::Etc::SourceList \"$1/apt/sources.list\"; Dir::Etc::SourceParts \"/dev/null\";"
    echo 'Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "/dev/null";'
    echo "Dir::State \"$1/apt\"; Dir::State::Lists \"$1/apt/lists\"; Dir::State::status \"$1/apt/status\";"
    echo "Dir::Cache \"$1/apt\"; Dir::Cache::Archives \"$1/apt/archives\";"
    echo 'APT::Architecture "amd64"; APT::Architectures { "amd64"; }; Acquire::Languages "none";'
    echo 'APT::Sandbox::User "root"; Acquire::Retries "3"; Acquire::http::Timeout "30";'
  } >"$1/apt/conf"
  export APT_CONFIG="$1/apt/conf"
}

# debian_mirror: the one that this machine takes its packages from; nothing when apt has no lists yet.
debian_mirror() {
  apt-get indextargets --format "\$(ORIGIN)|\$(LABEL)|\$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian|Debian|\(http.*\)$/\1/p' | head -n 1
}

# find_mirror: puts it into $mirror.
find_mirror() {
  [ -z "${mirror-}" ] || return 0
  mirror=$(debian_mirror)
  [ -z "$mirror" ] || return 0
  as_root=
  apt_get update || true
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || cannot 'its package sources name no Debian mirror'
}

# debian_source [-backports]
debian_source() { echo "deb [signed-by=$guest_keyring] $mirror $guest_suite${1-} main"; }

backport() { apt-cache madison "$1" | awk -F'|' -v suite="$guest_suite-backports/" '$3 ~ suite { gsub(/ /, "", $2); print $2; exit }'; }

# cannot_fetch WHAT LOG
cannot_fetch() {
  grep -E '^(E|W|Err)' "$2" | head -n 5 >&2 || true
  cannot "$1 cannot be fetched, and the cache has none yet; is there a network?"
}

# unpack_kernel VMLINUZ: the kernel inside it, which starts in half the time. Offsets: the boot protocol of Linux,
# Documentation/arch/x86/boot.rst: setup_sects 0x1f1, payload_offset 0x248, payload_length 0x24c. The last four bytes
# of the payload are its unpacked size.
unpack_kernel() {
  number() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }
  start=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
  length=$(($(number "$1" 588 4) - 4))
  case $(od -An -v -t x1 -j $start -N 4 "$1" | tr -d ' ') in
    28b52ffd) unpack='zstd -dc' ;;
    fd377a58) unpack='xz -dc' ;;
    1f8b08*) unpack='gzip -dc' ;;
    *) die "the kernel $(basename "$1") is packed in a way these steps do not know" ;;
  esac
  tail -c "+$((start + 1))" "$1" | head -c $length | $unpack >"$making/vmlinux" ||
    die "the kernel $(basename "$1") cannot be unpacked"
}

# with_dependencies LIST MODULE…: writes their files into LIST in the order they load in; built-in ones have none.
with_dependencies() {
  list=$1
  shift
  : >"$list.all"
  for module; do
    modprobe -d "$tree" -S "$release" --show-depends "$module" >>"$list.all" ||
      die "the kernel $release has no module $module"
  done
  sed -n 's/^insmod \([^ ]*\).*/\1/p' "$list.all" | awk '!seen[$0]++' >"$list"
}

make_initrd() {
  early=$making/early
  mkdir -p "$early/bin" "$early/lib" "$early/proc" "$early/sys" "$early/dev" "$early/mnt"
  cp /bin/busybox "$early/bin/"
  count=10
  # shellcheck disable=SC2086 # a list of names
  with_dependencies "$making/modules" $boot_modules
  while read -r file; do
    name=$(basename "$file")
    case $name in
      *.xz) xz -dc "$file" >"$early/lib/$count-${name%.xz}" ;;
      *.zst) zstd -qdc "$file" >"$early/lib/$count-${name%.zst}" ;;
      *) cp "$file" "$early/lib/$count-$name" ;;
    esac
    count=$((count + 1))
  done <"$making/modules"
  cat >"$early/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
$b mount -t sysfs sys /sys
for module in /lib/*.ko; do $b insmod $module; done
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 100 ]; do
  $b sleep 0.1
  tries=$((tries + 1))
done
$b mount -t ext4 -o rw /dev/vda /mnt || exec $b poweroff -f
program=$($b sed -n 's/.*hilinit=\([^ ]*\).*/\1/p' /proc/cmdline)
$b mount --move /dev /mnt/dev
$b umount /sys /proc
exec $b switch_root /mnt ${program:-/sbin/init}
INIT
  chmod 0755 "$early/init"
  (cd "$early" && find . | cpio --quiet -o -H newc | gzip -1) >"$making/initrd"
  rm -rf "$early"
}

pack_modules() {
  few=$making/few/usr/lib/modules/$release
  mkdir -p "$few"
  ln -s usr/lib "$making/few/lib"
  for file in builtin builtin.modinfo order; do
    [ ! -e "$tree/lib/modules/$release/modules.$file" ] || cp "$tree/lib/modules/$release/modules.$file" "$few/"
  done
  # shellcheck disable=SC2086 # a list of names
  with_dependencies "$making/modules" $boot_modules $disk_modules
  while read -r file; do
    below=${file#"$tree/lib/modules/$release/"}
    mkdir -p "$few/$(dirname "$below")"
    cp "$file" "$few/$below"
  done <"$making/modules"
  # The order lists modules that are not here.
  depmod -b "$making/few" "$release" 2>/dev/null
  tar -cf "$making/modules.tar" -C "$making/few" usr
  rm -rf "$making/few" "$making/modules" "$making/modules.all"
}

# need_debian_tree: a small Debian with systemd.
need_debian_tree() {
  [ -z "$(newest debian)" ] || return 0
  begin debian
  step "making a small Debian $guest_suite with systemd, about 40 MB to fetch"
  find_mirror
  # How this machine reaches its Debian packages: proxies, certificates, clocks that are not trusted.
  apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries)' >"$making/apt.conf" || true
  mmdebstrap --variant=essential --mode=root --include="$guest_packages" --aptopt="$making/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$guest_suite" "$making/root.tar" "$(debian_source)" >"$making/log" 2>&1 ||
    cannot_fetch "Debian $guest_suite" "$making/log"
  rm -f "$making/apt.conf" "$making/log"
  finish debian "$guest_suite"
}
