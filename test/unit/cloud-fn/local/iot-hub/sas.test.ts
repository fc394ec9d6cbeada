import assert from 'node:assert/strict';
import { test } from 'node:test';
import iothub from 'azure-iothub';
import { checkSas, makeSas } from '../../../../../cloud-fn/local/iot-hub/sas.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER = Buffer.alloc(32, 8).toString('base64');
const NOW = Date.UTC(2026, 10, 21);
const RESOURCE = 'hub.local/devices/pi';
const check = (token: string, keys = [KEY], resources = [RESOURCE]) =>
  checkSas(token, { keys, resources, nowMs: NOW });

test('a token made by the service SDK is accepted', () => {
  const token = iothub.SharedAccessSignature.create(
    'hub.local',
    'iothubowner',
    KEY,
    NOW / 1000 + 60,
  ).toString();
  const verdict = check(token);
  assert.ok('token' in verdict);
  assert.equal(verdict.token.policy, 'iothubowner');
  assert.equal(verdict.token.expiresMs, NOW + 60_000);
});

test('a token opens its resource and what lies under it, under either key, whatever the case of the name', () => {
  const token = makeSas('HUB.local/devices/pi', KEY, NOW + 60_000);
  assert.ok('token' in check(token));
  assert.ok('token' in check(token, [OTHER, KEY]));
  assert.ok('token' in check(token, [KEY], [`${RESOURCE}/files`]));
});

test('a token is refused when it is expired, forged, changed, for somebody else, or no token', () => {
  const good = makeSas(RESOURCE, KEY, NOW + 60_000);
  const reasons: [string, RegExp][] = [
    [makeSas(RESOURCE, KEY, NOW), /expired/],
    [makeSas(RESOURCE, OTHER, NOW + 60_000), /signature/],
    [good.replace(/se=\d+/, `se=${NOW / 1000 + 9999}`), /signature/],
    [makeSas('hub.local/devices/p', KEY, NOW + 60_000), /another resource/],
    [makeSas(`${RESOURCE}/modules/x`, KEY, NOW + 60_000), /another resource/],
    ['', /not a shared/],
    ['SharedAccessSignature sr=%&sig=x&se=1', /not a shared/],
    ['SharedAccessSignature sr=x&sig=x&se=soon', /not a shared/],
  ];
  for (const [token, why] of reasons) {
    const verdict = check(token);
    assert.match('refused' in verdict ? verdict.refused : 'accepted', why);
  }
});
