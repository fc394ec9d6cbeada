import type { Judged } from './moments.ts';

export const timeOf = ({ atS }: Judged): string => `${atS.toFixed(1)} s`;
export const wordsOf = ({ kind, reason, cause }: Judged): string =>
  kind === 'suppressed' ? `suppressed: ${reason}` : [kind, cause].filter(Boolean).join(': ');
