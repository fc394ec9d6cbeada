import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { systemClock } from '../../../agent/kernel/clock.ts';
import { createWorld, someCamera, type World } from '../../unit/agent/dashboard/dashboard-world.ts';
import { createRealHouse, type RealHouse } from '../../unit/agent/dashboard/real-house.ts';
import { DESKTOP, PATIENCE_MS, PHONE, useBrowser } from './dashboard-browser.ts';

const browser = useBrowser();
let house: RealHouse;
let world: World;

beforeEach(async () => {
  house = await createRealHouse();
  world = createRealWorld(0);
  await world.dashboard.start();
});
afterEach(async () => {
  await world.dashboard.stop();
  await house.close();
});

function createRealWorld(port: number): World {
  const made = createWorld({
    port,
    ledger: house.ledger,
    clock: systemClock,
  });
  made.bestFrame = async () => house.picture;
  made.cameras = [someCamera(), someCamera({ cameraId: 'pond', title: 'Pond' })];
  return made;
}

const openPage = (options?: BrowserContextOptions) => browser.open(world.dashboard.url(), options);

const PERSON: Partial<Verdict> = {
  verdict: 'person',
  labels: ['person', 'dog'],
  confidence: 0.87,
  best_frame: { blobName: 'x.best.jpg', at_ms: 2000, boxes: [] },
};

/** One clip of each kind an owner meets, an hour apart. */
async function recordADay(): Promise<
  Record<'person' | 'nothing' | 'waiting' | 'lost' | 'recording', string>
> {
  const hourAgo = (hours: number) => Date.now() - hours * 3_600_000;
  const person = await house.seal(house.record('gate', hourAgo(5)));
  house.upload(person);
  house.judge(person, PERSON);
  const nothing = await house.seal(house.record('pond', hourAgo(4)));
  house.upload(nothing);
  house.judge(nothing, {});
  const waiting = await house.seal(house.record('gate', hourAgo(3)));
  const lost = house.record('pond', hourAgo(2));
  house.ledger.loseClip(lost.clipId, 'The card <b>failed</b> while the clip was written.');
  const recording = house.record('gate', hourAgo(0));
  const { clipId } = recording;
  return {
    person: person.clipId,
    nothing: nothing.clipId,
    waiting: waiting.clipId,
    lost: lost.clipId,
    recording: clipId,
  };
}

/** What a video or picture of the page says about itself. */
async function mediaOf(page: Page, selector: string) {
  const element = page.locator(selector).first();
  await element.waitFor({ state: 'attached' });
  return element.evaluate((media) => {
    const { currentTime, videoWidth, naturalWidth } = media as unknown as Record<string, number | undefined>;
    return { currentTime: currentTime ?? 0, videoWidth, naturalWidth };
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isPlaying = (page: Page) =>
  until('the clip plays', async () => (await mediaOf(page, '.playing video')).currentTime > 0.5);

const cardOf = (page: Page, clipId: string) => page.locator(`#clip-${clipId}`);

test('an English phone sees the house in one sentence, and every clip with what became of it', async () => {
  const clips = await recordADay();
  const page = await openPage({ ...PHONE, colorScheme: 'light' });
  await page.getByRole('heading', { level: 1, name: /^1 clip shows a person/ }).waitFor();
  await page.getByText('1 clip waits for upload.', { exact: true }).waitFor();
  const person = cardOf(page, clips.person);
  await person.getByText('person, dog, 87% sure').waitFor();
  await person.getByText(/sealed \d\d:\d\d:\d\d ·/).waitFor();
  await cardOf(page, clips.nothing).getByText('nothing', { exact: true }).waitFor();
  await cardOf(page, clips.waiting).getByText('waits for upload').waitFor();
  await cardOf(page, clips.recording).getByText('recording…').waitFor();
  // What was said somewhere else stays text.
  await cardOf(page, clips.lost).getByText('The card <b>failed</b> while').waitFor();
  const order = await page.locator('.clip').evaluateAll((cards) => cards.map(({ id }) => id.slice(5)));
  assert.deepEqual(order, [clips.recording, clips.lost, clips.waiting, clips.nothing, clips.person]);
  await browser.look(page, 'phone-light');
  assert.deepEqual(browser.complaints, []);
});

test('a Ukrainian desktop is greeted in Ukrainian, and keeps the language it switches to', async () => {
  const clips = await recordADay();
  const page = await openPage({ ...DESKTOP, locale: 'uk-UA', colorScheme: 'dark' });
  await page.getByRole('heading', { level: 1, name: /^1 запис показує людину/ }).waitFor();
  await page.getByText('1 запис чекає на відправлення.', { exact: true }).waitFor();
  await cardOf(page, clips.person).getByText('людина, собака, певність 87').waitFor();
  await browser.look(page, 'desktop-dark');
  await page.getByRole('button', { name: 'EN' }).click();
  await cardOf(page, clips.person).getByText('person, dog, 87% sure').waitFor();
  await page.reload();
  await cardOf(page, clips.person).getByText('person, dog, 87% sure').waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.deepEqual(browser.complaints, []);
});

test('a clip is loaded only when it is played, and then it plays', async () => {
  const clips = await recordADay();
  const page = await openPage(PHONE);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const card = cardOf(page, clips.person);
  const picture = card.locator('img');
  await picture.scrollIntoViewIfNeeded();
  await until(
    'the best frame is there',
    async () => (await mediaOf(page, '.pictured img')).naturalWidth === 640,
  );
  assert.ok(!asked.some((path) => path.endsWith('.mp4')), 'a clip was loaded before it was played');
  await card.getByRole('button', { name: /^Play the clip of .*, Gate$/ }).click();
  await isPlaying(page);
  assert.ok(asked.includes(`/clips/${clips.person}.mp4`));
  assert.equal((await mediaOf(page, '.playing video')).videoWidth, 640);
  await browser.look(page, 'phone-playing');
  assert.deepEqual(browser.complaints, []);
});

test('new clips and verdicts appear by themselves, while the clip that is watched plays on', async () => {
  const first = await house.seal(house.record('gate', Date.now() - 60_000));
  house.upload(first);
  const page = await openPage(DESKTOP);
  const card = cardOf(page, first.clipId);
  await card.getByText('waits for verdict').waitFor();
  await card.getByRole('button', { name: /^Play/ }).click();
  await isPlaying(page);
  await page.evaluate('window.watched = document.querySelector(".playing video")');
  const second = house.record('pond', Date.now());
  house.judge(first, PERSON);
  await cardOf(page, second.clipId).getByText('recording…').waitFor();
  await card.getByText('person, dog, 87% sure').waitFor();
  const still = 'window.watched.isConnected && window.watched.currentTime > 0 && !window.watched.error';
  assert.equal(await page.evaluate(still), true);
  assert.deepEqual(browser.complaints, []);
});

test('an unchanged house is asked with little: every further answer has no body', async () => {
  await recordADay();
  const page = await openPage();
  await page.locator('.clip').first().waitFor();
  for (let answers = 0; answers < 2; answers++) {
    const answer = await page.waitForResponse((response) => response.url().includes('/api/status'));
    assert.equal(answer.status(), 304);
  }
});

test('nobody is asked while the page is hidden, and at once when it is seen again', async () => {
  const page = await openPage();
  await page.getByRole('heading', { level: 1, name: 'All is well.' }).waitFor();
  const setHidden = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
  await setHidden(true);
  let asked = 0;
  page.on('request', () => (asked += 1));
  world.cameras = [someCamera({ state: 'unreachable', detail: 'It does not answer.' })];
  // Twice the pause between two polls: time in which a page that is not hidden would have asked.
  await page.waitForTimeout(9_000);
  assert.equal(asked, 0);
  await setHidden(false);
  await page.getByRole('heading', { level: 1, name: /^No picture from Gate since/ }).waitFor();
  await page.getByText('It does not answer.').waitFor();
});

test('the history of a clip opens, and older clips come when asked for', async () => {
  const ids: string[] = [];
  for (let n = 25; n > 0; n--) {
    const clip = house.record('gate', Date.now() - n * 60_000);
    house.ledger.loseClip(clip.clipId, 'The power went.');
    ids.unshift(clip.clipId);
  }
  const page = await openPage(PHONE);
  const newest = cardOf(page, ids[0] ?? '');
  await newest.getByText('History').click();
  await newest.locator('.custody').getByText('lost').waitFor();
  assert.equal(await page.locator('.clip').count(), 20);
  await page.getByRole('button', { name: 'Show older clips' }).click();
  await cardOf(page, ids[24] ?? '').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show older clips' }).isVisible(), false);
  assert.deepEqual(browser.complaints, []);
});

test('a clip whose file was removed after the page was drawn says so', async () => {
  const clip = await house.seal(house.record('gate', Date.now()));
  const page = await openPage(DESKTOP);
  const card = cardOf(page, clip.clipId);
  await card.getByRole('button', { name: /^Play/ }).waitFor();
  await rm(clip.file);
  await card.getByRole('button', { name: /^Play/ }).click();
  await card.getByText('The file is not on the appliance any more.').waitFor();
});

test('the first sentence is the person of the last hours, and what else is wrong stands below it, in both languages', async () => {
  const { person } = await recordADay();
  assert.ok(person);
  world.cameras = [
    someCamera(),
    someCamera({ cameraId: 'pond', title: 'Pond', state: 'unreachable', detail: 'no route' }),
  ];
  const page = await openPage(PHONE);
  await page.getByRole('heading', { level: 1, name: /^1 clip shows a person, from \d.*: Gate\.$/ }).waitFor();
  await page
    .getByRole('listitem')
    .filter({ hasText: /^No picture from Pond since/ })
    .waitFor();
  await browser.look(page, 'person-and-camera-phone');
  await page.getByRole('button', { name: 'УКР' }).click();
  await page.getByRole('heading', { level: 1, name: /^1 запис показує людину, .*: Gate\.$/ }).waitFor();
  await page.setViewportSize(DESKTOP.viewport);
  await browser.look(page, 'person-and-camera-desktop-uk');
});

test('a page that has lost the appliance says so as a whole, shows nothing of then as now, and forgives', async () => {
  const page = await openPage(PHONE);
  await page.getByRole('heading', { level: 1, name: 'All is well.' }).waitFor();
  await page.getByText('picture: now').first().waitFor();
  const port = Number(new URL(world.dashboard.url()).port);
  await world.dashboard.stop();
  const silence = page.getByRole('heading', { level: 1, name: /^No contact with the appliance since \d/ });
  await silence.waitFor();
  assert.match(await page.title(), /^No contact/);
  await page.getByText('Known last: All is well. It may not be so any more.').waitFor();
  for (const hidden of ['picture: now', 'Connection', 'Cameras'])
    await page.getByText(hidden, { exact: true }).first().waitFor({ state: 'hidden' });
  await browser.look(page, 'contact-lost-phone');
  world = createRealWorld(port);
  await world.dashboard.start();
  await page.getByRole('heading', { level: 1, name: 'All is well.' }).waitFor();
  await page.getByText('picture: now').first().waitFor();
});
