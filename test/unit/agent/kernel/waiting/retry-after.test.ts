import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RETRY_AFTER_MAX_MS, retryAfterMs } from '../../../../../agent/kernel/waiting/retry-after.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const waitOf = (headers: Readonly<Record<string, string>>) => retryAfterMs((name) => headers[name], NOW);

test('an answer that asks to wait says so in seconds, in milliseconds, or until a date in each form that HTTP knows', () => {
  const asked: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after': ' 7 ' }, 7_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'x-ms-retry-after-ms': '1500', 'retry-after': '2' }, 1_500],
    [{ 'retry-after-ms': '2500', 'retry-after': '3' }, 2_500],
    [{ 'retry-after': 'Mon, 01 Jun 2026 12:01:30 GMT' }, 90_000],
    [{ 'retry-after': 'Monday, 01-Jun-26 12:01:30 GMT' }, 90_000],
    [{ 'retry-after': 'Mon Jun  1 12:01:30 2026' }, 90_000],
    [{ 'retry-after': 'Mon, 01 Jun 2026 11:00:00 GMT' }, 0],
  ];
  for (const [headers, ms] of asked) assert.equal(waitOf(headers), ms, JSON.stringify(headers));
});

test('a date is compared with what the answer says is now, because our clock may be wrong', () => {
  const until = 'Sat, 01 Jan 2022 00:00:40 GMT';
  assert.equal(waitOf({ 'retry-after': until, date: 'Sat, 01 Jan 2022 00:00:00 GMT' }), 40_000);
  assert.equal(waitOf({ 'retry-after': until, date: 'some day' }), 0, 'our own clock, when it does not say');
});

test('nobody makes us wait for longer than an hour, and what is no time is none', () => {
  for (const text of ['3601', '999999999999999999999', 'Tue, 01 Jun 2027 12:00:00 GMT'])
    assert.equal(waitOf({ 'retry-after': text }), RETRY_AFTER_MAX_MS, text);
  for (const text of ['', '-5', '1.5', 'soon', '1e3', 'Mon, 99 Jun 2026 12:00:00 GMT', '0x10', '5, 6'])
    assert.equal(waitOf({ 'retry-after': text }), undefined, text);
});
