# Sourced by scripts/hil: the bench with a real Raspberry Pi 5. There is none yet, so it only says what it is for.
# shellcheck shell=sh

rung() {
  cannot 'it needs a bench with a Raspberry Pi 5, the Waveshare UPS Module 3S, an RTSP camera and a mains switch that a program can turn. It will check what no simulator can: the UPS on battery to its end and back, RTC wake from power-off while the UPS holds 5 V, tryboot and the way back, the hardware watchdog, GPIO on the real RP1, temperature and throttling under load, SD-card power cuts, a camera that is plugged out.'
}
