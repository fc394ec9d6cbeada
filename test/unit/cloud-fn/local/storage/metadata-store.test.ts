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
  type DocumentWatch,
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
function open(db: Sqlite.Database, watch?: DocumentWatch) {
  const store = createMetadataStore({ db, ...(watch && { watch }) });
  const loki = new LokiConstructor('unused', {
    persistenceMethod: 'fs',
    autosave: true,
    autosaveInterval: 5000,
  });
  store.adopt('blob', loki);
  loki.addCollection('things', { indices: ['name'], unique: ['name'] });
  loki.saveDatabase();
  return { store, loki, things: loki.getCollection('things') };
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

test("Azurite's own saves store what is new, and bring nothing back that is gone", () => {
  const file = join(dir, 'c.sqlite');
  const db = new Sqlite(file);
  const { loki, things } = open(db);
  const first = things.insert({ name: 'first' });
  loki.saveDatabase();
  things.remove(first);
  things.insert({ name: 'second' });
  loki.saveDatabase();
  assert.deepEqual([things.count(), things.findOne({ name: 'first' })], [1, null]);
  db.close();
  const again = new Sqlite(file);
  assert.ok(open(again).things.findOne({ name: 'second' }));
  again.close();
});

test('a save without a change writes nothing and tells nobody', () => {
  const db = new Sqlite(':memory:');
  let committed = 0;
  const watch = {
    store: 'blob',
    collection: 'things',
    changed: () => undefined,
    committed: () => (committed += 1),
  };
  const { store, things } = open(db, watch);
  const written = () => Number(db.prepare('SELECT total_changes()').pluck().get());
  things.insert({ name: 'one' });
  store.save();
  const before = written();
  assert.equal(committed, 1);
  store.save();
  assert.deepEqual([written(), committed], [before, 1]);
});

test('who watches a collection hears of its documents as they were and are, and of no others', () => {
  const db = new Sqlite(':memory:');
  const heard: (readonly (string | undefined)[])[] = [];
  const name = (json: string | undefined) => json && (JSON.parse(json) as { name: string }).name;
  const { store, loki, things } = open(db, {
    store: 'blob',
    collection: 'things',
    changed: (...states) => void heard.push(states.map(name)),
    committed: () => undefined,
  });
  const others = loki.addCollection('others', {});
  const elsewhere = new LokiConstructor('unused', { persistenceMethod: 'fs' });
  store.adopt('queue', elsewhere);
  elsewhere.addCollection('things', {});
  elsewhere.saveDatabase();
  const one = things.insert({ name: 'one' }) as { $loki: number; name: string };
  others.insert({ name: 'other' });
  elsewhere.getCollection('things').insert({ name: 'of the queues' });
  store.save();
  one.name = 'two';
  things.update(one);
  store.save();
  things.remove(one);
  store.save();
  assert.deepEqual(heard, [
    [undefined, 'one'],
    ['one', 'two'],
    ['two', undefined],
  ]);
});

test('of what changed in one save the removals are told first: what takes the place of another is the last word', () => {
  const db = new Sqlite(':memory:');
  const heard: string[] = [];
  const { store, things } = open(db, {
    store: 'blob',
    collection: 'things',
    changed: (_before, after) => void heard.push(after === undefined ? 'gone' : 'there'),
    committed: () => undefined,
  });
  const old = things.insert({ name: 'old' });
  store.save();
  things.insert({ name: 'new' });
  things.remove(old);
  store.save();
  assert.deepEqual(heard, ['there', 'gone', 'there']);
});

test('Azurite is told whether its save succeeded', () => {
  const db = new Sqlite(':memory:');
  const { loki, things } = open(db);
  const outcomes: unknown[] = [];
  things.insert({ name: 'one' });
  loki.saveDatabase((error: unknown) => outcomes.push(error));
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON documents BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
  things.insert({ name: 'two' });
  loki.saveDatabase((error: unknown) => outcomes.push(String(error)));
  assert.equal(outcomes[0], null);
  assert.match(String(outcomes[1]), /disk full/);
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
