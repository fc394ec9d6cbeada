import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  allMonths,
  costsTable,
  monthOf,
  PRICES,
  readPrices,
} from '../../../../../scripts/lib/deploy-cloud/costs.ts';

const prices = readPrices(PRICES);

test('the table of docs/scale.md is what the command prints', () => {
  const page = readFileSync(new URL('../../../../../docs/scale.md', import.meta.url), 'utf8');
  assert.ok(
    page.includes(costsTable(allMonths(prices), prices)),
    'scripts/deploy-cloud --costs prints another table',
  );
});

test('costs grow with clips and houses, and the parts are the whole', () => {
  const months = allMonths(prices);
  for (const { parts, total, perHouse, houses } of months) {
    const sum = Object.values(parts).reduce((before, one) => before + one, 0);
    assert.ok(Math.abs(sum - total) < 1e-9 && Math.abs(perHouse * houses - total) < 1e-6);
  }
  const totals = [1, 10, 100, 1_000, 10_000].map((clips) => monthOf(clips, 1, prices).total);
  assert.deepEqual(
    totals,
    totals.toSorted((a, b) => a - b),
  );
});

test('a reader puts in prices of his own; what is none is refused in a sentence', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-prices-'));
  try {
    const file = join(dir, 'prices.json');
    const own = JSON.parse(readFileSync(PRICES, 'utf8')) as { hub: { unitMonth: unknown } };
    own.hub.unitMonth = 50;
    writeFileSync(file, JSON.stringify(own));
    const [dear, cheap] = [monthOf(10, 1, readPrices(file)), monthOf(10, 1, prices)];
    assert.equal(dear.parts.hub, 2 * cheap.parts.hub);
    for (const odd of [-1, '25', null, undefined]) {
      own.hub.unitMonth = odd;
      writeFileSync(file, JSON.stringify(own));
      assert.throws(() => readPrices(file), /"hub" is not as in cloud-fn\/infra\/prices.json/);
    }
    for (const odd of ['null', '[]', '{}', 'prices']) {
      writeFileSync(file, odd);
      assert.throws(() => readPrices(file), /--prices .*prices.json/);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
