import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from '../../../../cloud-fn/orchestrators/describe-error.ts';

const said = (error: unknown) => describeError(error, 'code').message;

test('an error is told in one line, without repeats and without a stack trace', () => {
  const local = "Activity function 'X' failed: link down \n PortFailure: link down\n    at send (hub.ts:1:2)";
  assert.equal(said(new Error(local)), "Activity function 'X' failed: link down");
  const azure =
    "Activity function 'X' failed:  Result: Failure\nException: link down\nStack: Error: link down\n at a";
  assert.equal(said(new Error(azure)), "Activity function 'X' failed: Result: Failure Exception: link down");
  assert.equal(
    said(Object.assign(new Error('long'), { failureDetails: { errorMessage: 'short' } })),
    'short',
  );
});

test('whatever was thrown has a message, of bounded length', () => {
  assert.equal(said(undefined), 'undefined');
  assert.equal(said(new Error('')), 'no message');
  assert.equal(said(new Error('x'.repeat(5_000))).length, 300);
});

test('signatures and keys are taken out', () => {
  const text = said(new Error('GET https://a.test/b?sv=1&sig=abc%2F AccountKey=abc==; SharedAccessKey=xyz'));
  assert.doesNotMatch(text, /abc|xyz/);
});
