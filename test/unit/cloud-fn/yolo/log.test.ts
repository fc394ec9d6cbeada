import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../../cloud-fn/yolo/log.ts';

test('a log line is one JSON object and keeps no secret', () => {
  const lines: string[] = [];
  const log = createLog(
    (line) => lines.push(line),
    () => 0,
  );
  log.warn(
    { event: 'x', err: 'https://a/b?sv=1&sig=abc%2F= AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=b' },
    'failed',
  );
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /\n$/);
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    event: 'x',
    err: 'https://a/b?sv=1&sig=*** AccountName=a;AccountKey=***;EndpointSuffix=b',
    msg: 'failed',
  });
});
