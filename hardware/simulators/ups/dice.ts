/** Chance that comes out the same for the same seed. */
export interface Dice {
  /** 0 to just under 1. */
  part(): number;
  /** Normally distributed around 0 with deviation 1. */
  normal(): number;
}

/** A linear congruential generator of 32 bits, of which the upper 24 are used. Good enough for noise. */
export function createDice(seed: number): Dice {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  const part = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  // Twelve equal chances added up are near enough to the normal distribution, and cannot be infinite.
  const normal = () => Array.from({ length: 12 }, part).reduce((sum, one) => sum + one, -6);
  return { part, normal };
}
