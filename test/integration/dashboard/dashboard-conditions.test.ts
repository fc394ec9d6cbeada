import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditions } from '../../../agent/kernel/conditions.ts';
import { Failure } from '../../../agent/kernel/failure.ts';
import { createLog } from '../../../agent/kernel/log.ts';
import { createLedgerView } from '../../fakes/ledger-view.ts';
import { createWorld, NOW_MS, someCamera } from '../../unit/agent/dashboard/dashboard-world.ts';
import { PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();

test('what is wrong stands above the cameras, in both languages, and goes when it is over', async (t) => {
  const conditions = createConditions({ clock: { nowMs: () => NOW_MS - 120_000 }, log: createLog('silent') });
  conditions.raise('recording-refused', '3 movements were not recorded: no room for another clip', 'pond');
  conditions.raise('clips-parked', '2 clips were refused by storage: 403 AuthorizationFailure');
  const world = createWorld({ conditions: () => conditions.list() });
  world.cameras = [someCamera(), someCamera({ cameraId: 'pond', title: 'Pond' })];
  await world.dashboard.start();
  t.after(() => world.dashboard.stop());
  const page = await browser.open(world.dashboard.url(), PHONE);

  await page.getByRole('heading', { name: 'Movement was not recorded: Pond.' }).waitFor();
  assert.equal(await page.locator('#house').getAttribute('data-level'), 'trouble');
  assert.equal(await page.locator('#conditions li').count(), 2);
  await page.getByText('3 movements were not recorded: no room for another clip').waitFor();
  await browser.look(page, 'conditions-phone');
  await page.getByRole('button', { name: 'УКР' }).click();
  await page.getByRole('heading', { name: 'Рух не записано: Pond.' }).waitFor();

  conditions.clear('recording-refused', 'pond');
  conditions.clear('clips-parked');
  await page.locator('#conditions-part').waitFor({ state: 'hidden' });
  assert.deepEqual(browser.complaints, []);
});

test('a page whose ledger does not answer says so, and goes on when it does', async (t) => {
  let isGone = true;
  const conditions = createConditions({ clock: { nowMs: () => NOW_MS - 120_000 }, log: createLog('silent') });
  conditions.raise('ledger-unavailable', 'the ledger cannot be opened: the disk is read-only');
  const ledger = createLedgerView([]);
  const orGone =
    <A extends unknown[], R>(ask: (...args: A) => R) =>
    (...args: A): R => {
      if (isGone) throw new Failure('transient', 'ledger.unavailable', 'the ledger cannot be opened');
      return ask(...args);
    };
  const gone = createWorld({
    conditions: () => conditions.list(),
    ledger: {
      clips: orGone(ledger.clips),
      clip: orGone(ledger.clip),
      custody: orGone(ledger.custody),
      summary: orGone(ledger.summary),
      judgedPersons: orGone(ledger.judgedPersons),
      awaitingVerdict: orGone(ledger.awaitingVerdict),
      glance: orGone(ledger.glance),
      lastChange: orGone(ledger.lastChange),
      changes: orGone(ledger.changes),
    },
  });
  await gone.dashboard.start();
  t.after(() => gone.dashboard.stop());
  const page = await browser.open(gone.dashboard.url());
  await page.getByRole('heading', { name: 'The list of clips cannot be opened.' }).waitFor();
  await browser.look(page, 'conditions-no-ledger');

  isGone = false;
  conditions.clear('ledger-unavailable');
  await page.getByRole('heading', { name: 'All is well.' }).waitFor();
  await page.locator('#no-clips').waitFor();
  assert.deepEqual(browser.complaints, []);
});
