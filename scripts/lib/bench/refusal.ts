/** Something the person can mend: said in one sentence, exit code 2. */
export class Refusal extends Error {}
