/** What the firmware of a Raspberry Pi says about power and heat, as words of the contract: bits 0 to 3 for now,
 *  16 to 19 for "since the machine started". Source: Raspberry Pi documentation, vcgencmd get_throttled. */
const NAMES = ['under-voltage', 'frequency-capped', 'throttled', 'soft-temperature-limit'] as const;
const SINCE_BOOT_SHIFT = 16;

export const UNDER_VOLTAGE_NOW = 1;

/** @param bits as of get_throttled
 *  @returns each name once: bare while it is so, with `-since-boot` when it only was */
export function throttlingNames(bits: number): string[] {
  return NAMES.flatMap((name, bit) => {
    if (bits & (1 << bit)) return [name];
    return bits & (1 << (bit + SINCE_BOOT_SHIFT)) ? [`${name}-since-boot`] : [];
  });
}

/** The same bits with what is so now also noted as "since the machine started". */
export const remembered = (bits: number) => bits | ((bits & 0xf) << SINCE_BOOT_SHIFT);

/** @param text of the kernel's file: hexadecimal digits, with or without `0x`
 *  @returns undefined when it is something else */
export function throttlingBits(text: string): number | undefined {
  const digits = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16) & 0xf_000f;
}
