/** Something the person can mend: said in one sentence, exit code 2. */
export class Refusal extends Error {}

/** What this machine cannot do: said in one sentence, exit code 3. */
export class Unable extends Error {}
