import type Sqlite from 'better-sqlite3';
import type { InstanceRow } from './history-sql.ts';
import { isFinal, type RuntimeStatus } from './wire.ts';

export interface InstanceFilter {
  readonly createdFromMs?: number | undefined;
  readonly createdToMs?: number | undefined;
  readonly statuses?: readonly string[] | undefined;
  /** What ids begin with. */
  readonly prefix?: string | undefined;
}
/** Longest page of a listing, and most instances one purge removes. */
export const PAGE_MAX = 1000;

/** Listings of instances, oldest first. */
export function createInstanceQueries({ db }: { readonly db: Sqlite.Database }) {
  const page = db.prepare<[object], InstanceRow>(
    `SELECT * FROM instances WHERE created_ms >= @from AND created_ms <= @to AND id > @after
     AND substr(id, 1, length(@prefix)) = @prefix ORDER BY id LIMIT @limit`,
  );
  const rowsAfter = (filter: InstanceFilter, after: string, limit: number): InstanceRow[] =>
    page.all({
      from: filter.createdFromMs ?? 0,
      to: filter.createdToMs ?? Number.MAX_SAFE_INTEGER,
      prefix: filter.prefix ?? '',
      after,
      limit,
    });
  const hasStatus = (filter: InstanceFilter, status: RuntimeStatus) =>
    filter.statuses === undefined || filter.statuses.includes(status);

  return {
    /** One page, ordered by id. `next` asks for the page after it. */
    list: (filter: InstanceFilter, after: string, limit: number) => {
      const rows: InstanceRow[] = [];
      let last = after;
      for (;;) {
        const found = rowsAfter(filter, last, PAGE_MAX);
        for (const row of found) {
          last = row.id;
          if (hasStatus(filter, row.status)) rows.push(row);
          if (rows.length === limit) return { rows, next: last };
        }
        if (found.length < PAGE_MAX) return { rows, next: undefined };
      }
    },
    /** Ids of finished instances that the filter selects, at most `PAGE_MAX` and ordered by id. */
    finished: (filter: InstanceFilter): string[] =>
      rowsAfter(filter, '', PAGE_MAX)
        .filter((row) => isFinal(row.status) && hasStatus(filter, row.status))
        .map((row) => row.id),
  };
}

export type InstanceQueries = ReturnType<typeof createInstanceQueries>;
