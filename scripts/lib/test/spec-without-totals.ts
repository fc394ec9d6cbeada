/** A reporter of node:test, loaded by its path: `spec` without the totals, which hundreds of files would repeat. The
 *  summary of the run has them. */
import { Readable } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';

const TOTAL = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

export default async function* specWithoutTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutTotals(events)).compose(new spec());
}

async function* withoutTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events)
    if (event.type !== 'test:diagnostic' || event.data.nesting > 0 || !TOTAL.test(event.data.message))
      yield event;
}
