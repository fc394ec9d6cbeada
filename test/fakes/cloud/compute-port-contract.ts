import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ComputePort } from '../../../cloud-fn/ports/compute/compute.ts';

/** One way to run a worker, and who sees what it does. */
export interface ComputeUnderTest {
  readonly port: ComputePort;
  /** How many workers run. */
  readonly running: () => number | Promise<number>;
  /** How often one was started. */
  readonly starts: () => number | Promise<number>;
  /** The worker finds nothing more to do, and ends; resolves when it has. */
  readonly end: () => void | Promise<void>;
}

/** What every way of running a worker promises, whatever starts it.
 *  @param make puts away what it made when the test ends */
export function promisesOfCompute(name: string, make: (t: TestContext) => Promise<ComputeUnderTest>): void {
  test(`${name}: the first call starts a worker, the next ones find it running`, async (t) => {
    const { port, running, starts } = await make(t);
    assert.equal(await port.ensureWorker(), 'started');
    assert.equal(await running(), 1);
    for (let call = 0; call < 3; call++) assert.equal(await port.ensureWorker(), 'running');
    assert.deepEqual([await running(), await starts()], [1, 1]);
  });

  test(`${name}: calls that come together start one worker`, async (t) => {
    const { port, running } = await make(t);
    await Promise.all(Array.from({ length: 8 }, () => port.ensureWorker()));
    assert.equal(await running(), 1);
  });

  test(`${name}: a worker that has ended is started again by the next call`, async (t) => {
    const { port, running, starts, end } = await make(t);
    await port.ensureWorker();
    await end();
    assert.equal(await running(), 0);
    assert.equal(await port.ensureWorker(), 'started');
    assert.deepEqual([await running(), await starts()], [1, 2]);
  });

  test(`${name}: stopping twice is stopping once, and nothing is started behind it`, async (t) => {
    const { port, starts } = await make(t);
    await port.stop();
    await port.stop();
    await assert.rejects(port.ensureWorker(), { name: 'PortFailure', kind: 'transient' });
    assert.equal(await starts(), 0);
  });
}
