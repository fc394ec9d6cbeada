import { statSync } from 'node:fs';
import { type Ownership, takeOwnership } from './ownership.ts';

export interface OwnedFolder {
  /** Takes the folder that is there now. One that was mounted in its place is taken anew.
   *  @throws Failure `transient` `ledger.in-use` */
  readonly own: () => Promise<Ownership>;
  /** Identity of the folder; undefined while it is not ours. */
  readonly identity: () => string | undefined;
  /** @returns whether it is ours
   *  @throws Failure when it was taken from us */
  readonly confirm: () => boolean;
  readonly disown: () => void;
}

/** The ledger's folder, kept while the ledger cannot be used, so that clips can be recorded.
 *  @param onOwned waited for when another folder than before was taken */
export function createOwnedFolder(dir: string, onOwned: () => Promise<void>): OwnedFolder {
  let owned: { readonly ownership: Ownership; readonly folder: string } | undefined;

  function disown(): void {
    owned?.ownership.release();
    owned = undefined;
  }

  return {
    async own() {
      const { dev, ino } = statSync(dir, { bigint: true });
      const folder = `${dev}/${ino}`;
      if (owned?.folder === folder) {
        owned.ownership.confirm();
        return owned.ownership;
      }
      // Another disk is mounted there now.
      disown();
      const ownership = takeOwnership(dir, 0);
      owned = { ownership, folder };
      await onOwned();
      return ownership;
    },
    identity: () => owned?.folder,
    confirm() {
      owned?.ownership.confirm();
      return owned !== undefined;
    },
    disown,
  };
}
