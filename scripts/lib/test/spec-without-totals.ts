/** A reporter of node:test, loaded by its path: `spec` without the totals, which hundreds of files would repeat. They
 *  are told once for each suite. */
import { Readable } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';
import { isTotal } from './totals.ts';

export default async function* specWithoutTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withoutTotals(events)).compose(new spec());
}

async function* withoutTotals(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events) if (event.type !== 'test:diagnostic' || !isTotal(event.data)) yield event;
}
