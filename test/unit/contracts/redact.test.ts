import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog as createAgentLog } from '../../../agent/kernel/log.ts';
import { describeError } from '../../../cloud-fn/orchestrators/describe-error.ts';
import { createLog as createWorkerLog } from '../../../cloud-fn/yolo/log.ts';

const SECRETS = [
  'https://storage.example/clips/a.mp4?sv=1&sig=SECRET%3D&se=2',
  'AccountName=a;AccountKey=SECRET==;EndpointSuffix=x',
  'HostName=h;SharedAccessKey=SECRET=;DeviceId=d',
  'SharedAccessSignature SECRET',
  'rtsp://owner:SECRET@10.0.0.9/main',
  'password=SECRET',
  'x509=true\n-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----',
  JSON.stringify('-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----'),
];

test('agent, worker and orchestrations strike the same secrets out of what they say', () => {
  for (const secret of SECRETS) {
    const said: string[] = [];
    createAgentLog('info', (line) => said.push(line)).warn({ event: 'test', detail: secret }, secret);
    createWorkerLog((line) => said.push(line)).warn({ event: 'test', detail: secret }, secret);
    said.push(describeError(new Error(`it failed: ${secret}`), 'test').message);
    assert.equal(said.length, 3);
    for (const line of said) assert.ok(!line.includes('SECRET'), line);
  }
});
