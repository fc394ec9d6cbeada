/** Notices when a list of values is another one than before.
 *  They may be long: they are only compared when they are other objects than before.
 *  @returns whether they changed since the last call; before the first one there were none */
export function createChanges(): (now: readonly unknown[]) => boolean {
  let before: readonly unknown[] = [];
  let textBefore = '';
  return (now) => {
    if (now.length === before.length && now.every((value, index) => value === before[index])) return false;
    before = now;
    const text = JSON.stringify(now);
    const changed = text !== textBefore;
    textBefore = text;
    return changed;
  };
}
