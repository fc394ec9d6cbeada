import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplianceConfig, parseWithDefaults } from '@dachawatch/contracts';

const folder = join(import.meta.dirname, '../../../firmware-config');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

/** Settings of a file, each with the comment lines right above it, or above the settings it follows directly. */
function settings(text: string): { setting: string; reason: string }[] {
  const found: { setting: string; reason: string }[] = [];
  let reason = '';
  let inReason = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) {
      reason = inReason ? `${reason} ${line.slice(2)}` : line.slice(2);
      inReason = true;
      continue;
    }
    inReason = false;
    if (line === '' || line.startsWith('[')) reason = '';
    else if (!line.startsWith('#')) found.push({ setting: line, reason });
  }
  return found;
}

for (const file of ['config.txt', 'eeprom.conf'])
  test(`every setting of ${file} has a name, a value and its reason above it`, () => {
    const all = settings(read(file));
    assert.ok(all.length >= 6);
    for (const { setting, reason } of all) {
      assert.match(setting, /^[A-Za-z0-9_]+=[A-Za-z0-9_=,-]+$/);
      assert.ok(reason.length > 20, `${file}: ${setting} has no reason`);
    }
  });

test('the bus and the watchdog that the agent and systemd rely on are switched on', () => {
  const names = settings(read('config.txt')).map(({ setting }) => setting);
  assert.ok(names.includes('dtparam=i2c_arm=on'));
  assert.ok(names.includes('dtparam=watchdog=on'));
});

test('a box that has lost its power boots when it returns, and a halted one draws nothing', () => {
  const names = settings(read('eeprom.conf')).map(({ setting }) => setting);
  assert.ok(names.includes('WAIT_FOR_POWER_BUTTON=0'));
  assert.ok(names.includes('POWER_OFF_ON_HALT=1'));
});

test('the kernel command line is one line and restarts after a panic', () => {
  const lines = read('cmdline.txt').trimEnd().split('\n');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /\bpanic=10\b/);
});

test('the default configuration fits its contract and holds no login', () => {
  const config = parseWithDefaults(ApplianceConfig, JSON.parse(read('appliance.json')));
  assert.equal(config.power.ups?.address, 0x41);
  assert.doesNotMatch(read('appliance.json'), /password|SharedAccessKey/i);
});

const sfdisk = ['/sbin/sfdisk', '/usr/sbin/sfdisk'].find(
  (path) => spawnSync(path, ['--version']).status === 0,
);

test('sfdisk makes the seven partitions of the plan on a card of 32 GB, data last and largest', {
  skip: sfdisk ? false : 'sfdisk is not installed',
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'dachawatch-partitions-'));
  try {
    const card = join(dir, 'card.img');
    writeFileSync(card, '');
    truncateSync(card, 31_914_983_424); // what a card sold as 32 GB has
    execFileSync(sfdisk ?? '', ['--quiet', card], { input: read('partitions.sfdisk') });
    const { partitiontable: table } = JSON.parse(
      execFileSync(sfdisk ?? '', ['--json', card], { encoding: 'utf8' }),
    ) as { partitiontable: { label: string; partitions: { size: number; type: string }[] } };
    const { partitions } = table;
    assert.equal(table.label, 'dos');
    assert.deepEqual(
      partitions.map(({ type }) => type),
      ['c', 'c', 'c', '5', '83', '83', '83'],
    );
    const dataBytes = (partitions[6]?.size ?? 0) * 512;
    const clipBytes = (JSON.parse(read('appliance.json')) as { storage: { maxBytes: number } }).storage
      .maxBytes;
    assert.ok(dataBytes > clipBytes + 1_000_000_000, 'the clips of the default configuration do not fit');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
