import { Failure } from './kernel/failure.ts';

/** What `parseArgs` tells of an argument. */
interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
}

/** An empty value comes of a variable that is not set, and of two values one would have no effect.
 *  @throws Failure `rejected`, `options.empty` or `options.twice` */
export function refuseVoidOptions(tokens: readonly Token[]): void {
  const given = new Set<string | undefined>();
  for (const { kind, name, rawName = '', value } of tokens) {
    if (kind !== 'option') continue;
    if (value?.trim() === '')
      throw new Failure(
        'rejected',
        'options.empty',
        `the value of ${rawName} is empty; is a variable unset?`,
      );
    if (given.has(name))
      throw new Failure(
        'rejected',
        'options.twice',
        `${rawName} is given twice; one of the two would have no effect`,
      );
    given.add(name);
  }
}
