/** What we use of the package `onvif`. Its own types lack Media2. */
declare module 'onvif' {
  import type { EventEmitter } from 'node:events';
  import type { Agent } from 'node:http';

  type Callback<T> = (error: unknown, value: T, xml?: string) => void;

  class Cam extends EventEmitter {
    constructor(options: {
      readonly hostname: string;
      readonly port: number;
      readonly path: string;
      readonly agent: Agent;
      readonly timeout: number;
      readonly autoconnect: false;
    });
    username: string | undefined;
    password: string | undefined;
    /** Set by `getServices`: whether the camera says that it speaks Media2. */
    media2Support: boolean | undefined;
    getSystemDateAndTime(done: Callback<Date | null>): void;
    getServices(includeCapability: boolean, done: Callback<unknown>): void;
    getCapabilities(done: Callback<unknown>): void;
    getProfiles(done: Callback<unknown>): void;
    getStreamUri(
      question: { readonly protocol: 'RTSP'; readonly profileToken: string },
      done: Callback<unknown>,
    ): void;
    getVideoEncoderConfigurationOptions(
      question: { readonly configurationToken: string },
      done: Callback<unknown>,
    ): void;
    setVideoEncoderConfiguration(configuration: object, done: Callback<unknown>): void;
    /** All of the above ask by way of it. */
    _request(
      question: object,
      done: (error: unknown, data: unknown, xml?: string, status?: number) => void,
    ): void;
    /** Beginning of each message, with the login in it. */
    _envelopeHeader(isOpen?: boolean): string;
    /** Answers a challenge of HTTP Digest. */
    digestAuth(challenges: readonly string[], request: object): string;
  }

  const onvif: {
    readonly Cam: typeof Cam;
    readonly Discovery: EventEmitter & {
      probe(
        options: { readonly timeout: number; readonly resolve: false; readonly device: string },
        done: (error: unknown) => void,
      ): void;
    };
  };
  export default onvif;
}
