/** What a test may let the hub do wrong. Lives in the process only; nothing outside the process can set them. */
export interface Faults {
  /** MQTT sockets stay open; nothing is read or answered any more, on new ones neither. */
  blackHole: boolean;
  /** CONNACK code instead of a welcome. */
  refuseConnect: 1 | 2 | 3 | 4 | 5 | null;
  dropSubscribe: boolean;
  /** Publishes of the device are not acknowledged. */
  dropPuback: boolean;
  /** Acknowledgements of the device are not heard: what it got comes again. */
  ignorePuback: boolean;
  dropTwinAnswers: boolean;
  /** Answer to every twin request. */
  twinAnswer: { readonly status: number; readonly body: string } | null;
  /** Answer to every HTTPS request. */
  httpAnswer: {
    readonly status: number;
    readonly body: string;
    readonly contentType?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } | null;
  /** HTTPS requests are taken and never answered. */
  httpSilent: boolean;
}

export const noFaults = (): Faults => ({
  blackHole: false,
  refuseConnect: null,
  dropSubscribe: false,
  dropPuback: false,
  ignorePuback: false,
  dropTwinAnswers: false,
  twinAnswer: null,
  httpAnswer: null,
  httpSilent: false,
});
