import type { AuthenticationProvider, TransportConfig } from 'azure-iot-common';
import device from 'azure-iot-device';
import { readIdentity } from './identity.ts';

/** The SDK renews its token by itself, with a short new connection. Seconds. */
export interface TokenLife {
  readonly validSeconds: number;
  readonly renewBeforeSeconds: number;
}

export interface Authentication {
  readonly provider: AuthenticationProvider;
  /** Tells when no token can be made. A certificate needs none. */
  onError(tell: (error: unknown) => void): void;
  stop(): void;
}

/** How a device shows the hub who it is: by tokens that it signs with its key, or by its certificate.
 *  @param credential as `readIdentity` reads it
 *  @param gateway `host:port` where the hub is reached, when not under its own name
 *  @throws Failure `rejected` as `readIdentity` */
export function createAuthentication(
  credential: string,
  { gateway, token }: { readonly gateway?: string | undefined; readonly token?: TokenLife } = {},
): Authentication {
  const { hostName, deviceId, certificate } = readIdentity(credential);
  if (!certificate) {
    const provider = device.SharedAccessKeyAuthenticationProvider.fromConnectionString(
      gateway === undefined ? credential : `${credential};GatewayHostName=${gateway}`,
      token?.validSeconds,
      token?.renewBeforeSeconds,
    );
    return {
      provider,
      onError: (tell) => void provider.on('error', tell),
      stop: () => provider.stop(),
    };
  }
  const provider = device.X509AuthenticationProvider.fromX509Options(deviceId, hostName, certificate);
  // It takes no gateway of its own; what it hands out is always the same object, and at once.
  if (gateway !== undefined)
    provider.getDeviceCredentials((_error, config?: TransportConfig) => {
      if (config) config.gatewayHostName = gateway;
    });
  return { provider, onError: () => {}, stop: () => {} };
}
