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

test('what the runtime adds for programs is cut off, whatever stands before it', () => {
  const net =
    '{"$type":"System.Exception, System.Private.CoreLib","ClassName":"System.Exception","Message":"link down"}';
  const head = "Activity function 'X' failed: link down";
  for (const text of [
    `${head} \n ${net}`,
    `${head}\n${net}`,
    `${head} ${net}`,
    `${head}$OutOfProcData$:{"isDone":false,"actions":[[]]}`,
    `${head}\n\n$OutOfProcData$:{"isDone":false}`,
    `${head} \n Message: child: link down, StackTrace: at System.Threading`,
    `${head}, StackTrace: at a.b(c)`,
  ])
    assert.equal(said(new Error(text)), head, text);
  assert.equal(said(new Error(net)), 'no message');
  assert.equal(said({ failureDetails: { errorMessage: `link down \n ${net}` } }), 'link down');
});

test('a text that a queue cannot carry is told without what it cannot', () => {
  const said1 = said(new Error('a\u0000b\uFFFFc\uD800d\u{1F600}e'));
  assert.equal(said1, 'a\uFFFDb\uFFFDc\uFFFDd\u{1F600}e');
});
