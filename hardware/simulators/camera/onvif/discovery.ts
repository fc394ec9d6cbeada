import { createSocket } from 'node:dgram';
import { escaped, textOf } from './soap.ts';

const GROUP = '239.255.255.250';
const PORT = 3702;
const LOOPBACK = '127.0.0.1';

/** Answers the probes of WS-Discovery that come over the loopback interface. Several cameras may do so at once. */
export async function answerProbes(camera: {
  readonly urn: string;
  /** Of the device service. */
  readonly address: string;
  readonly name: string;
}): Promise<{ stop(): Promise<void> }> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes, from) => {
    const xml = bytes.toString();
    const probe = textOf(xml, 'MessageID');
    if (!/Probe[\s>]/.test(xml) || probe === undefined) return;
    socket.send(match(camera, probe), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(PORT, GROUP, resolve);
  });
  socket.addMembership(GROUP, LOOPBACK);
  socket.setMulticastInterface(LOOPBACK);
  return { stop: () => new Promise((resolve) => socket.close(() => resolve())) };
}

const match = (
  { urn, address, name }: { urn: string; address: string; name: string },
  probe: string,
): string =>
  `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>${escaped(probe)}</a:RelatesTo><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>${urn}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/${encodeURIComponent(name)} onvif://www.onvif.org/hardware/made-1</d:Scopes><d:XAddrs>${escaped(address)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;
