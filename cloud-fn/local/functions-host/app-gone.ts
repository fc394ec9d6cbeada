/** The process that ran the app ended during a call. */
export class AppGone extends Error {
  override readonly name = 'AppGone';
  constructor(how: number | string) {
    super(typeof how === 'number' ? `node exited with code ${how}.` : `node was ended by ${how}.`);
  }
}
