import { cleanText, redact } from '@dachawatch/contracts';
import type { Problem } from './clip-analysis-steps.ts';

const LONGEST = 300;

/** Where a host's own additions begin: the JSON of a .NET exception, the state of an orchestrator, a stack trace, the
 *  repetition of a failed child's message. The useful text stands before. */
const NOT_FOR_PEOPLE =
  /(?:\s*\{"\$type"|\s*\$OutOfProcData\$|\s*\n\s*(?:Stack:|at |Message: )|, StackTrace:)[\s\S]*$/;

/** What an activity threw, for a person. Text differs between hosts and versions, so nothing is read out of it;
 *  stack traces and secrets are taken away. */
export function describeError(error: unknown, code: string): Problem {
  const { failureDetails } = (error ?? {}) as { failureDetails?: { errorMessage?: unknown } };
  const text =
    typeof failureDetails?.errorMessage === 'string'
      ? failureDetails.errorMessage
      : error instanceof Error
        ? error.message
        : String(error);
  const words = withoutRepeats(text.replace(NOT_FOR_PEOPLE, '')).replaceAll(/\s+/g, ' ');
  const message = redact(cleanText(words)).trim();
  return { code, message: message.slice(0, LONGEST) || 'no message' };
}

/** A host repeats the message as the first line of the stack trace: `PortFailure: the same once more`. */
function withoutRepeats(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const isRepeat = (line: string, index: number) =>
    lines.slice(0, index).some((earlier) => earlier.endsWith(line.replace(/^\w+: /, '')));
  return lines.filter((line, index) => !isRepeat(line, index)).join(' ');
}
