import type Sqlite from 'better-sqlite3';
import type { Database } from '../database/database.ts';
import type { Row } from './salvage.ts';

/** Inserts the columns that the table has. What is there already stays.
 *  @returns whether the row was taken; not when it breaks a rule of the table */
export function inserter(db: Database, table: string): (row: Row) => boolean {
  const known = new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name));
  const statements = new Map<string, Sqlite.Statement<[Row]>>();
  return (row) => {
    const columns = Object.keys(row).filter((column) => known.has(column));
    const key = columns.join();
    let statement = statements.get(key);
    if (!statement) {
      statement = db.prepare<[Row]>(
        `INSERT INTO ${table} (${key}) VALUES (${columns.map((column) => `:${column}`).join()}) ON CONFLICT DO NOTHING`,
      );
      statements.set(key, statement);
    }
    try {
      return statement.run(row).changes > 0;
    } catch (error) {
      if (String((error as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT')) return false;
      throw error;
    }
  };
}
