import { isJson } from '@dachawatch/contracts';
import { badRequest, RestError, type RestDeps, type Route } from './route.ts';

/** File-upload tickets: given out for one blob each, ten at a time, and to be given back. */
export function fileRoutes({ tickets, signTicket }: RestDeps): Route[] {
  const giveBack = (deviceId: string, correlationId: string, body: unknown) => {
    if (!isJson(body) || typeof body['isSuccess'] !== 'boolean')
      throw badRequest('isSuccess must be true or false');
    if (!tickets.close(deviceId, correlationId)) throw badRequest(`There is no open ticket ${correlationId}`);
    return { status: 204 };
  };

  return [
    {
      method: 'POST',
      path: /^\/devices\/([^/]+)\/files$/,
      caller: 'device',
      handle: ({ params: [id = ''], body }) => {
        const blobName = isJson(body) ? body['blobName'] : undefined;
        if (typeof blobName !== 'string' || blobName.length < 1 || blobName.length > 1024 - id.length - 1)
          throw badRequest('blobName must be 1 to 1024 characters, with the device id');
        if (!signTicket) throw badRequest('No storage account is configured for file upload');
        const ticket = tickets.open(id, `${id}/${blobName}`);
        if (!ticket)
          throw new RestError(
            403,
            'DeviceMaximumActiveFileUploadLimitExceeded',
            'The device already has 10 file uploads that it did not complete',
          );
        const { correlationId, blobName: fullName } = ticket;
        return { status: 200, body: { correlationId, blobName: fullName, ...signTicket(ticket) } };
      },
    },
    {
      method: 'POST',
      path: /^\/devices\/([^/]+)\/files\/notifications\/([^/]+)$/,
      caller: 'device',
      handle: ({ params: [id = '', correlationId = ''], body }) => giveBack(id, correlationId, body),
    },
    {
      method: 'POST',
      path: /^\/devices\/([^/]+)\/files\/notifications$/,
      caller: 'device',
      handle: ({ params: [id = ''], body }) =>
        giveBack(
          id,
          isJson(body) && typeof body['correlationId'] === 'string' ? body['correlationId'] : '',
          body,
        ),
    },
  ];
}
