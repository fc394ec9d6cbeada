/** Why a clip could not be analysed. `code` is stable: it is what the answer and the log show. */
export class ClipProblem extends Error {
  override readonly name = 'ClipProblem';
  readonly code: string;
  /** True when another try with the same clip cannot end differently. */
  readonly final: boolean;
  constructor(code: string, message: string, options: { final: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.final = options.final;
  }
}
