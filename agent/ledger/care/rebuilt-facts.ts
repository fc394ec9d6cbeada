/** What a ledger that was begun anew says of itself, in its table `facts`. */

/** A fact: the files of the clips on this disk are still to be compared with the rows that were taken over. */
export const UNVERIFIED = 'restored_unverified';

/** A fact: inode of the damaged database that it was made from; none when there was none. */
export const REBUILT_FROM = 'rebuilt_from';
