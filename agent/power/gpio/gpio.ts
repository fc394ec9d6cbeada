/** One GPIO line in use. Every method may throw when the chip has gone. */
export interface GpioLine {
  /** Whether the line says yes at this moment; what is low-active is turned round already. */
  active(): boolean;
  /** For outputs. */
  set(active: boolean): void;
  /** Resolves at the next edge, or when the signal is aborted. It is a hint to look now: edges may be lost. Nothing
   *  keeps the process alive after it has resolved. */
  edge(signal: AbortSignal): Promise<void>;
  /** Gives the line back to the kernel. */
  close(): void;
}

export interface LineRequest {
  /** Label of the chip. Its number and base change with the kernel. */
  readonly chipLabel: string;
  /** Offset on that chip: the BCM number on a Raspberry Pi. */
  readonly line: number;
  readonly direction: 'in' | 'out';
  readonly activeLow: boolean;
}

/** The way to the kernel's GPIO lines. There is one adapter, gpio-sysfs.ts, over onoff and the files under
 *  /sys/class/gpio, which the kernel calls deprecated. Another one, over libgpiod, comes in as another `OpenLine`.
 *  An output is opened saying no.
 *  @throws Failure `gpio.unusable` with one sentence that says why this line cannot be used */
export type OpenLine = (request: LineRequest, signal: AbortSignal) => Promise<GpioLine>;
