/** 26 characters of Crockford's base 32 (no I, L, O, U): time first, so clips sort by it; unique without a right clock.
 *  Any first character: of a blob that no appliance recorded the cloud makes the id from its name's hash. The ledger,
 *  whose own begin with 0 to 7, is stricter about what it takes back from its disk: `isOwnClipId`. */
export const CLIP_ID_PATTERN = '[0-9A-HJKMNP-TV-Z]{26}';

const CLIP_ID = new RegExp(`^${CLIP_ID_PATTERN}$`);

export const isClipId = (text: string): boolean => CLIP_ID.test(text);
