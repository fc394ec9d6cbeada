/** A reporter of node:test, loaded by its path: a line for each test that begins (`+ name`) and ends (`- name`), as
 *  soon as it does, and at the end one for each total (`= pass 5`). `spec` tells of a test when it has ended, so of one
 *  that hangs it says nothing. */
import type { TestEvent } from 'node:test/reporters';
import { isTotal } from './totals.ts';

export default async function* begunTests(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:dequeue') yield `+ ${data.name}\n`;
    if (type === 'test:complete') yield `- ${data.name}\n`;
    if (type === 'test:diagnostic' && isTotal(data)) yield `= ${data.message}\n`;
  }
}

/** The tests that had begun and not ended, from what stands above. */
export function unfinished(lines: string): string[] {
  const names: string[] = [];
  for (const line of lines.split('\n')) {
    const name = line.slice(2);
    if (line.startsWith('+ ')) names.push(name);
    if (line.startsWith('- ') && names.includes(name)) names.splice(names.lastIndexOf(name), 1);
  }
  return names;
}
