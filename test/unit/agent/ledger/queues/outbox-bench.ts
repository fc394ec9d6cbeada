import assert from 'node:assert/strict';
import { parse, TELEMETRY_DATA, Telemetry } from '@dachawatch/contracts';
import { isOwnClipId } from '../../../../../agent/ledger/clips/clip-id.ts';
import type { Ledger } from '../../../../../agent/ledger/ledger.ts';

/** What waits, read by the contract: `event` and what it says. */
export const told = (ledger: Ledger) =>
  ledger.outgoing(100_000).map(({ eventId, event, body }) => {
    const message = parse(Telemetry, JSON.parse(body));
    assert.equal(message.eventId, eventId);
    assert.equal(message.event, event);
    assert.ok(isOwnClipId(eventId), eventId);
    const data: Record<string, unknown> = parse(TELEMETRY_DATA[message.event], message.data);
    return { ...message, data };
  });
export const events = (ledger: Ledger) => told(ledger).map(({ event }) => event);
export const link = (detail: string) => ({ state: 'offline', detail }) as const;
export const tellHeartbeat = (ledger: Ledger) =>
  ledger.tell('heartbeat', {
    backlog: { waiting: 0, awaitingVerdict: 0, events: 0 },
    camerasLive: 1,
    cameras: 1,
  });
export const tellSuppressed = (ledger: Ledger) =>
  ledger.tell('trigger.suppressed', {
    cameraId: 'gate',
    hourUtc: '2026-06-01T11:00:00.000Z',
    reasons: { 'too-small': 3 },
  });
export const tellPower = (ledger: Ledger) =>
  ledger.tell('power.state', { state: 'on-battery', sinceUtc: '2026-06-01T12:00:00.000Z' });
