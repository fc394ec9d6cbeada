import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../../fakes/browser.ts';
import { violations } from './dashboard-axe.ts';
import { DESKTOP, PHONE } from './dashboard-browser.ts';
import { PASSWORD, serveGuarded } from '../../unit/agent/dashboard/access/guarded-page.ts';

const page = serveGuarded();
let browser: Browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

test('in a browser the owner logs in, sees the house, and logs out', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'uk-UA' });
  const tab = await context.newPage();
  tab.setDefaultTimeout(120_000);
  await tab.goto(`${page.own()}/`);
  await tab.waitForURL('**/login');
  await tab.getByLabel('Пароль').fill('not-the-password');
  await tab.getByRole('button', { name: 'Увійти' }).click();
  assert.equal(await tab.getByRole('alert').textContent(), 'Це не той пароль.');
  await tab.getByLabel('Пароль').fill(PASSWORD);
  await tab.getByLabel('Пароль').press('Enter');
  await tab.waitForURL(`${page.own()}/`);
  await tab.locator('#device', { hasText: 'house-1' }).waitFor();
  const cookies = await context.cookies();
  const session = cookies.find(({ name }) => name === '__Host-dachawatch-session');
  assert.deepEqual(
    [session?.httpOnly, session?.secure, session?.sameSite, session?.path],
    [true, true, 'Strict', '/'],
  );
  await tab.getByRole('button', { name: 'Вийти' }).click();
  await tab.waitForURL('**/login');
  assert.ok(!(await context.cookies()).some(({ name }) => name === '__Host-dachawatch-session'));
  await context.close();
});

test('a page whose session is over leads to the login by itself', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const tab = await context.newPage();
  tab.setDefaultTimeout(120_000);
  await tab.goto(`${page.own()}/login`);
  await tab.getByLabel('Password').fill(PASSWORD);
  await tab.getByRole('button', { name: 'Log in' }).click();
  await tab.locator('#device', { hasText: 'house-1' }).waitFor();
  await context.clearCookies();
  await tab.waitForURL('**/login');
  await context.close();
});

for (const [locale, password, button] of [
  ['en-GB', 'Password', 'Log in'],
  ['uk-UA', 'Пароль', 'Увійти'],
] as const)
  for (const colorScheme of ['light', 'dark'] as const)
    test(`contrast, touch targets and names of the login are right: ${locale}, ${colorScheme}`, async () => {
      for (const device of [PHONE, DESKTOP]) {
        const context = await browser.newContext({
          ...{ ...device, ignoreHTTPSErrors: true, locale, colorScheme },
        });
        const tab = await context.newPage();
        tab.setDefaultTimeout(120_000);
        await tab.goto(`${page.own()}/login`);
        await tab.getByLabel(password).waitFor();
        assert.deepEqual(await violations(tab), []);
        await tab.getByLabel(password).fill('not-the-password');
        await tab.getByRole('button', { name: button }).click();
        await tab.getByRole('alert').waitFor();
        assert.deepEqual(await violations(tab), []);
        const shots = process.env['DASHBOARD_SHOTS'];
        if (shots !== undefined)
          await tab.screenshot({
            path: `${shots}/login-${locale}-${colorScheme}-${device.viewport.width}.png`,
          });
        await context.close();
      }
    });
