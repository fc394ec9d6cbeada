import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { freePortOrAny, loadAccount, saveAccount } from '../../../../../cloud-fn/local/storage/account.ts';
import {
  createMetadataStore,
  type LokiDatabase,
} from '../../../../../cloud-fn/local/storage/metadata-store.ts';

interface Collection {
  insert(document: object): { $loki: number };
  update(document: object): void;
  remove(document: object): void;
  findOne(query: object): (Record<string, unknown> & { $loki: number }) | null;
  findAndRemove(query: object): void;
  count(): number;
}
interface Loki extends LokiDatabase {
  addCollection(name: string, options: object): Collection;
  getCollection(name: string): Collection;
}
// The LokiJS that Azurite uses.
const azurite = createRequire(createRequire(import.meta.url).resolve('azurite/package.json'));
const LokiConstructor = azurite('lokijs') as new (file: string, options: object) => Loki;

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'dacha-metadata-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** A database as Azurite opens it: made, given its collections, saved once. */
function open(db: Sqlite.Database) {
  const store = createMetadataStore({ db });
  const loki = new LokiConstructor('unused', {
    persistenceMethod: 'fs',
    autosave: true,
    autosaveInterval: 5000,
  });
  store.adopt('blob', loki);
  loki.addCollection('things', { indices: ['name'], unique: ['name'] });
  loki.saveDatabase();
  return { store, things: loki.getCollection('things') };
}

test('inserts, updates, removals and the last id come back in a new process', () => {
  const file = join(dir, 'a.sqlite');
  const db = new Sqlite(file);
  const first = open(db);
  const kept = first.things.insert({ name: 'kept', at: new Date(0) }) as Record<string, unknown> & {
    $loki: number;
  };
  first.things.insert({ name: 'removed' });
  for (const name of ['x', 'y', 'z']) first.things.insert({ name, many: true });
  first.store.save();
  kept['size'] = 7;
  first.things.update(kept);
  first.things.remove(first.things.findOne({ name: 'removed' }) ?? {});
  first.things.findAndRemove({ many: true });
  first.store.save();
  db.close();

  const again = new Sqlite(file);
  const second = open(again);
  assert.equal(second.things.count(), 1);
  const found = second.things.findOne({ name: 'kept' });
  assert.deepEqual([found?.['size'], found?.['at']], [7, '1970-01-01T00:00:00.000Z']);
  assert.ok(second.things.insert({ name: 'new' }).$loki > 5, 'ids are not used twice');
  assert.throws(() => second.things.insert({ name: 'kept' }), /Duplicate/);
  again.close();
});

test('what could not be saved is saved by the next save', () => {
  const file = join(dir, 'b.sqlite');
  const db = new Sqlite(file);
  const { store, things } = open(db);
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON documents BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
  things.insert({ name: 'late' });
  assert.throws(() => store.save(), /disk full/);
  db.exec('DROP TRIGGER full');
  store.save();
  db.close();
  const again = new Sqlite(file);
  assert.equal(open(again).things.count(), 1);
  again.close();
});

test('an account keeps its key, which only its owner can read', () => {
  const account = { ...loadAccount(dir), blobPort: 1234 };
  saveAccount(dir, account);
  assert.deepEqual(loadAccount(dir), account);
  assert.equal(statSync(join(dir, 'account.json')).mode & 0o777, 0o600);
  assert.notEqual(loadAccount(join(dir, 'other')).key, account.key);
});

test('any port is asked for when none was used before', async () => {
  assert.equal(await freePortOrAny(0), 0);
});
