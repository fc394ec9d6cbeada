import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import {
  createWorld,
  NOW_MS,
  someCamera,
  someMachine,
  somePower,
  withMachine,
  type World,
} from '../../unit/agent/dashboard/dashboard-world.ts';
import { DESKTOP, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();
let world: World;

beforeEach(async () => {
  world = createWorld(withMachine(() => world));
  world.cameras = [someCamera(), someCamera({ cameraId: 'pond', title: 'Pond' })];
  await world.dashboard.start();
});
afterEach(async () => {
  await world.dashboard.stop();
});

const openPage = (options?: BrowserContextOptions) => browser.open(world.dashboard.url(), options);

/** How far the widest thing in the column of facts stands out of it. */
const STANDS_OUT = `(() => {
  const aside = document.querySelector('aside');
  const edge = aside.getBoundingClientRect().right;
  return Math.max(...[...aside.querySelectorAll('*')].map((one) => one.getBoundingClientRect().right - edge));
})()`;

/** Takes a picture of the page, and finds nothing wider than the screen or its column. */
async function look(page: Page, name: string): Promise<void> {
  assert.ok(Number(await page.evaluate(STANDS_OUT)) < 1, `${name}: something stands out of its column`);
  await browser.look(page, name);
}

const REFUSED = [
  {
    path: '/cameras/gate/zones/0/points/12/somethingThatIsVeryLongAndHasNoPlaceToBreak',
    reason: 'There is no such setting: <b>somethingThatIsVeryLong…</b>.',
  },
  { path: '/recording/postRollMs', reason: 'It must be a whole number from 1000 to 300000.' },
];

test('an English phone on battery is told how long it lasts, and which desired values were not applied', async () => {
  world.power = somePower({ state: 'on-battery', sinceMs: NOW_MS - 900_000, minutesLeft: 96, volts: 11.47 });
  world.desired = { version: 7, refused: REFUSED };
  const page = await openPage({ ...PHONE, colorScheme: 'light' });
  const sentence = 'No mains since 13:55. Recording goes on. The battery lasts about 95 minutes.';
  await page.getByRole('heading', { level: 1, name: sentence }).waitFor();
  const power = page.getByRole('region', { name: 'Power' });
  await power.getByText('On battery').waitFor();
  assert.match(await power.innerText(), /since 13:55 · charge about 93% · 11\.5 V · about 95 minutes left/);
  const settings = page.getByRole('region', { name: 'Settings from the cloud' });
  await settings.getByText('2 values not applied').waitFor();
  await settings.getByText('/recording/postRollMs').waitFor();
  // What the cloud said stays text.
  await settings.getByText('There is no such setting: <b>something').waitFor();
  await look(page, 'phone-battery-en');
  await page.getByText('Machine', { exact: true }).click();
  const machine = page.locator('#machine');
  await machine.getByText('54°C').waitFor();
  await machine.getByText('41 GB of 58 GB free').waitFor();
  await machine.getByText('runs for 12 days').waitFor();
  await machine.getByText('Raspberry Pi 5 Model B Rev 1.0').waitFor();
  await look(page, 'phone-machine-en');
  assert.deepEqual(browser.complaints, []);
});

test('a Ukrainian desktop reads the same in Ukrainian, in trouble and well', async () => {
  world.power = somePower({
    state: 'critical',
    minutesLeft: 2,
    volts: 9.5,
    percent: 14,
    shutdown: 'waiting',
    detail: 'The voltage was below 9.6 V for 30 s.',
  });
  world.machine = someMachine({
    cpuCelsius: 81.3,
    throttled: ['under-voltage', 'soft-temperature-limit-since-boot'],
    clock: 'unsynchronised',
  });
  world.machine.disk = { diskFreeBytes: 700_000_000, diskTotalBytes: 58_000_000_000 };
  const page = await openPage({ ...DESKTOP, locale: 'uk-UA', colorScheme: 'dark' });
  await page.getByRole('heading', { level: 1, name: 'Пристрій вимикається.' }).waitFor();
  const power = page.getByRole('region', { name: 'Живлення' });
  await power.getByText('Батарея майже розряджена').waitFor();
  await power.getByText('чекає, чи повернеться електрика').waitFor();
  await page.getByText('Пристрій', { exact: true }).click();
  const machine = page.locator('#machine');
  await machine.getByText('від запуску: досягнуто межі температури').waitFor();
  await machine.getByText('годинник не виставлено: час може бути хибним').waitFor();
  await look(page, 'desktop-trouble-uk');
  await page.setViewportSize(PHONE.viewport);
  await look(page, 'phone-trouble-uk');
  await page.setViewportSize(DESKTOP.viewport);
  world.power = somePower();
  world.machine = someMachine();
  world.desired = { version: 4, refused: [] };
  await page.getByRole('heading', { level: 1, name: 'Усе гаразд.' }).waitFor();
  await page.getByText('усе застосовано').waitFor();
  // What somebody opened stays open while the facts change.
  await machine.getByText('годинник виставлено').waitFor();
  await look(page, 'desktop-well-uk');
  assert.deepEqual(browser.complaints, []);
});

test('what nobody knows is not on the page, and a machine in need says so while it is folded up', async () => {
  const nothing = { state: 'unknown', volts: null, amps: null, percent: null } as const;
  world.power = somePower({ ...nothing, isWatched: false, detail: 'no UPS is configured' });
  world.machine = { ...someMachine(), facts: null };
  const page = await openPage(PHONE);
  await page.getByRole('heading', { level: 1, name: 'All is well.' }).waitFor();
  // Without a UPS nothing is wrong: it is said once, without a colour.
  const power = page.locator('#power li');
  assert.equal(await power.innerText(), 'No UPS: the power supply is not measured.');
  assert.equal(await power.getAttribute('data-level'), 'none');
  assert.doesNotMatch(await page.locator('body').innerText(), /no UPS is configured|Unknown/);
  assert.equal(await page.locator('#desired-part').isVisible(), false);
  const part = page.locator('#machine-part');
  assert.equal(await part.getAttribute('data-level'), 'calm');
  world.machine = someMachine({ cpuCelsius: 86 });
  await page.getByRole('heading', { level: 1, name: 'The appliance is too hot.' }).waitFor();
  assert.equal(await part.getAttribute('data-level'), 'notice');
  assert.deepEqual(browser.complaints, []);
});
