/** Why there is no picture of the sheet. */
export class NoSheet extends Error {
  override readonly name = 'NoSheet';
}
