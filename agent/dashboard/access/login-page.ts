import { answerContent, type Answer, content } from '../answer.ts';
import type { Language } from '../language.ts';

/** What the login page has to say beside asking. */
export type LoginNote = { readonly kind: 'wrong' } | { readonly kind: 'wait'; readonly waitMs: number };

const TEXTS = {
  en: {
    title: 'Log in',
    password: 'Password',
    enter: 'Log in',
    wrong: 'This is not the password.',
    wait: (s: number) => `Too many tries. Try again in ${duration(s, 's', 'min')}.`,
    help: 'The password was shown when the appliance was installed. How to make a new one: docs/dashboard.md.',
  },
  uk: {
    title: 'Вхід',
    password: 'Пароль',
    enter: 'Увійти',
    wrong: 'Це не той пароль.',
    wait: (s: number) => `Забагато спроб. Спробуйте ще раз за ${duration(s, 'с', 'хв')}.`,
    help: 'Пароль було показано під час встановлення. Як створити новий: docs/dashboard.md.',
  },
} as const;

const duration = (seconds: number, s: string, min: string) =>
  seconds < 120 ? `${seconds} ${s}` : `${Math.ceil(seconds / 60)} ${min}`;

/** The page that asks for the password: one form, no script. The name is for password managers. */
function loginHtml(language: Language, note: LoginNote | undefined): string {
  const texts = TEXTS[language];
  const said =
    note?.kind === 'wait' ? texts.wait(Math.ceil(note.waitMs / 1000)) : note ? texts.wrong : undefined;
  return `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8" />
    <title>${texts.title} · Dachawatch</title>
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/login.css" />
  </head>
  <body>
    <main>
      <h1>Dachawatch</h1>
      <form method="post" action="/login">
        <input type="text" name="username" value="dachawatch" autocomplete="username" readonly hidden />
        <label for="password">${texts.password}</label>
        <input type="password" id="password" name="password" autocomplete="current-password" required autofocus${
          said === undefined ? '' : ' aria-invalid="true" aria-describedby="said"'
        } />
        ${said === undefined ? '' : `<p id="said" role="alert">${said}</p>`}
        <button type="submit">${texts.enter}</button>
      </form>
      <p class="help">${texts.help}</p>
    </main>
  </body>
</html>
`;
}

export const LOGIN_CSS = content(
  'text/css; charset=utf-8',
  `:root { color-scheme: light dark; --ground: #f4f2ec; --ink: #22261f; --quiet: #5a5f54; --line: #8a8f84; --trouble: #a3342a; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181a; --ink: #e6e6df; --quiet: #a9afa8; --line: #737a75; --trouble: #f0897c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px / 1.45 system-ui, sans-serif; }
main { max-width: 22rem; margin: 15vh auto 0; padding: 0 1rem; }
label { display: block; margin-bottom: 0.25rem; }
input, button { width: 100%; min-height: 2.75rem; padding: 0.5rem 0.75rem; border: 1px solid var(--line); border-radius: 0.5rem; background: transparent; color: inherit; font: inherit; }
button { margin-top: 0.75rem; border-color: var(--ink); background: var(--ink); color: var(--ground); font-weight: 600; }
:focus-visible { outline: 3px solid currentcolor; outline-offset: 2px; }
[role="alert"] { margin: 0.5rem 0 0; color: var(--trouble); }
.help { margin-top: 2rem; color: var(--quiet); font-size: 0.9rem; }
`,
);

/** @param status 200 when it only asks, 403 after a wrong password, 429 when no more are checked now */
export function loginPage(language: Language, status: number, note?: LoginNote): Answer {
  const { headers, body } = answerContent(
    content('text/html; charset=utf-8', loginHtml(language, note)),
    { ifNoneMatch: undefined, acceptEncoding: undefined },
    { 'Cache-Control': 'no-store', 'Content-Language': language, 'Referrer-Policy': 'same-origin' },
  );
  const retry = note?.kind === 'wait' ? { 'Retry-After': String(Math.ceil(note.waitMs / 1000)) } : {};
  return { status, headers: { ...headers, ...retry }, body };
}
