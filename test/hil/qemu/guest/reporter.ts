/** Results of node:test inside the guest as observations. */
import type { TestEvent } from 'node:test/reporters';

export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events)
    if (type === 'test:pass' || type === 'test:fail') {
      const why = type === 'test:fail' ? data.details.error.message : undefined;
      yield `\n@hil ${JSON.stringify({ fact: 'contract', name: data.name, passed: type === 'test:pass', why })}\n`;
    }
}
