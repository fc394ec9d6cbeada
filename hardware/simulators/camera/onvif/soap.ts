/** Just as much of SOAP as a simulated camera needs. */

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text of the first element of this name, whatever its prefix. */
export function textOf(xml: string, name: string): string | undefined {
  const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1];
  return found?.replaceAll(/&(\w+);/g, (whole, entity: string) => ENTITIES[entity] ?? whole);
}

/** Attribute of the first element of this name that has it. */
export const attributeOf = (xml: string, name: string, attribute: string): string | undefined =>
  new RegExp(`<(?:\\w+:)?${name}\\s[^>]*\\b${attribute}="([^"]*)"`).exec(xml)?.[1];

/** What is asked: the name of the first element of the body, and its namespace. */
export function questionOf(xml: string): { readonly name: string; readonly namespace: string } {
  const [, name = '', rest = ''] = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)([^>]*)/.exec(xml) ?? [];
  return { name, namespace: /xmlns(?::\w+)?="([^"]+)"/.exec(rest)?.[1] ?? '' };
}

export const escaped = (text: string): string =>
  text.replaceAll(
    /[<>&"]/g,
    (letter) => `&${Object.entries(ENTITIES).find(([, one]) => one === letter)?.[0]};`,
  );

export const envelope = (body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>${body}</s:Body></s:Envelope>`;

/** @param subcode as `ter:NotAuthorized` */
export const fault = (subcode: string, reason: string): string =>
  envelope(
    `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">${escaped(reason)}</s:Text></s:Reason></s:Fault>`,
  );
