import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { CONTAINER_CLIPS, FileUploadTicket, parse } from '@dachawatch/contracts';
import type { UploadTickets } from '../../agent/hub/hub.ts';
import { Failure } from '../../agent/kernel/failure.ts';

export interface TicketsUnderTest {
  readonly hub: UploadTickets;
  readonly deviceId: string;
}

const BLOB = 'gate/2026/06/01/01ARYZ6S410000000000000000.mp4';
const DONE = { isSuccess: true, statusCode: 201, statusDescription: 'uploaded' };

/** What every giver of upload tickets promises, the fake one and IoT Hub's alike. */
export function uploadTicketsContract(
  name: string,
  make: (t: TestContext) => Promise<TicketsUnderTest>,
): void {
  test(`${name}: a ticket is for the blob asked for, below the device's name`, async (t) => {
    const { hub, deviceId } = await make(t);
    const ticket = parse(FileUploadTicket, await hub.requestTicket(BLOB));
    assert.equal(ticket.blobName, `${deviceId}/${BLOB}`);
    assert.equal(ticket.containerName, CONTAINER_CLIPS);
    assert.match(ticket.sasToken, /^\?/);
    await hub.returnTicket(ticket.correlationId, DONE);
  });

  test(`${name}: two tickets for one blob are two tickets`, async (t) => {
    const { hub } = await make(t);
    const first = await hub.requestTicket(BLOB);
    const second = await hub.requestTicket(BLOB);
    assert.notEqual(first.correlationId, second.correlationId);
    await hub.returnTicket(first.correlationId, { ...DONE, isSuccess: false });
    await hub.returnTicket(second.correlationId, DONE);
  });

  test(`${name}: a ticket cannot be given back twice, nor one that nobody issued`, async (t) => {
    const { hub } = await make(t);
    const { correlationId } = await hub.requestTicket(BLOB);
    await hub.returnTicket(correlationId, DONE);
    for (const id of [correlationId, 'never-issued'])
      await assert.rejects(hub.returnTicket(id, DONE), (error) => error instanceof Failure);
  });

  test(`${name}: the eleventh ticket is refused for now, until one is given back`, async (t) => {
    const { hub } = await make(t);
    const held = [];
    for (let i = 0; i < 10; i++) held.push(await hub.requestTicket(BLOB));
    await assert.rejects(
      hub.requestTicket(BLOB),
      (error) => error instanceof Failure && error.kind === 'transient',
    );
    await hub.returnTicket(held[0]!.correlationId, DONE);
    held[0] = await hub.requestTicket(BLOB);
    for (const ticket of held) await hub.returnTicket(ticket.correlationId, DONE);
  });

  test(`${name}: a request that is called off before it begins takes no ticket`, async (t) => {
    const { hub } = await make(t);
    await assert.rejects(hub.requestTicket(BLOB, AbortSignal.abort(new Error('called off'))));
    const { correlationId } = await hub.requestTicket(BLOB);
    await hub.returnTicket(correlationId, DONE);
  });
}
