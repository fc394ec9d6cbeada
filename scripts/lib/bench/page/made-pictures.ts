import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';

/** What stands in the middle of a picture. */
export const FIGURES = ['person', 'car', 'cat', 'nothing'] as const;
export type Figure = (typeof FIGURES)[number];

/** A small and a large picture of a yard by night, drawn here: nobody's house. */
export interface MadePicture {
  readonly small: string;
  readonly large: string;
}

const SHAPES: Readonly<Record<Figure, { readonly shape: string; readonly box: string }>> = {
  person: {
    shape:
      '<circle cx="330" cy="150" r="17"/><path d="M306 250v-52q0-24 24-24t24 24v52h-9v74h-12v-66h-6v66h-12v-74z"/>',
    box: '<rect x="292" y="120" width="76" height="216"/>',
  },
  car: {
    shape:
      '<path d="M210 280q4-34 34-36l28-34q6-6 14-6h74q10 0 16 8l26 32q30 4 32 36v12H210z"/><circle cx="262" cy="292" r="19"/><circle cx="388" cy="292" r="19"/>',
    box: '<rect x="196" y="192" width="252" height="128"/>',
  },
  cat: {
    shape:
      '<path d="M300 300q0-30 30-32l24 0q12 0 16-12l-2-18 8 8h10l8-8-2 22q-2 12-12 14v34h-8v-20h-52v20h-8l-2-14q-12 0-16-22z"/>',
    box: '<rect x="284" y="224" width="122" height="92"/>',
  },
  nothing: { shape: '', box: '' },
};

function yard(figure: Figure, annotated: boolean): string {
  const { shape, box } = SHAPES[figure];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" width="100%" height="100%">
    <defs>
      <linearGradient id="sky" x2="0" y2="1"><stop stop-color="#2a3238"/><stop offset="1" stop-color="#596168"/></linearGradient>
      <radialGradient id="lamp"><stop stop-color="#d8d4c4" stop-opacity=".75"/><stop offset="1" stop-color="#d8d4c4" stop-opacity="0"/></radialGradient>
    </defs>
    <rect width="640" height="360" fill="url(#sky)"/>
    <path d="M0 190 60 130l40 30 60-70 70 80 80-60 60 70 90-90 80 90 100-60v70H0z" fill="#30383a"/>
    <rect y="200" width="640" height="160" fill="#4b504a"/>
    <path d="M270 200h100l90 160H180z" fill="#6a6b63"/>
    <g stroke="#23292a" stroke-width="5">${Array.from({ length: 22 }, (_, n) => `<path d="M${n * 30 + 8} 168v46"/>`).join('')}<path d="M0 180h640M0 204h640"/></g>
    <path d="M470 220v-92l62-44 62 44v92z" fill="#3a3f40"/><rect x="500" y="146" width="30" height="34" fill="#8f8a70"/>
    <circle cx="120" cy="120" r="120" fill="url(#lamp)"/>
    <g fill="#15191b">${shape}</g>
    ${annotated ? `<g fill="none" stroke="#ff8c00" stroke-width="4">${box}</g>` : ''}
  </svg>`;
}

/** Draws them with a browser that runs anyway. */
export async function makePictures(browser: Browser, dir: string): Promise<Record<Figure, MadePicture>> {
  await mkdir(dir, { recursive: true });
  const page = await browser.newPage();
  const draw = async (name: string, svg: string, width: number, quality: number) => {
    await page.setViewportSize({ width, height: (width * 9) / 16 });
    await page.setContent(`<body style="margin:0">${svg}`);
    const file = join(dir, `${name}.jpg`);
    await writeFile(file, await page.screenshot({ type: 'jpeg', quality }));
    return file;
  };
  const made: Partial<Record<Figure, MadePicture>> = {};
  for (const figure of FIGURES)
    made[figure] = {
      small: await draw(`${figure}-small`, yard(figure, false), 320, 55),
      large: await draw(`${figure}-large`, yard(figure, true), 640, 80),
    };
  await page.close();
  return made as Record<Figure, MadePicture>;
}
