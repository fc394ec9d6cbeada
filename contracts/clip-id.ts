/** 26 characters of Crockford's base 32 (no I, L, O, U): time first, so clips sort by it; unique without a right clock.
 *  26 characters could say 130 bits and an id has 128, so the first is 0 to 7: the ledger never gave another, and reads
 *  time and chance out of it by arithmetic that a larger one would overflow. */
export const CLIP_ID_PATTERN = '[0-7][0-9A-HJKMNP-TV-Z]{25}';

const CLIP_ID = new RegExp(`^${CLIP_ID_PATTERN}$`);

export const isClipId = (text: string): boolean => CLIP_ID.test(text);
