#!/bin/sh
# The chips of the guest: an I2C bus whose number is 1, as on a Raspberry Pi, with a chip at 0x41 that only remembers
# its registers, and a GPIO chip with the label and size of RP1's.
set -eu
modprobe i2c-i801 # the bus of the emulated PC, number 0; no chip answers on it
modprobe i2c-dev
modprobe i2c-stub chip_addr=0x41
modprobe gpio-sim
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
chip=/sys/kernel/config/gpio-sim/rp1
mkdir -p $chip/bank0
echo 54 >$chip/bank0/num_lines
echo pinctrl-rp1 >$chip/bank0/label
echo 1 >$chip/live
