/** How a command can end, beside having done what it is for. Their exit codes stand in `run-command.ts`. */

/** Something the person can mend: said in one sentence that names what and where. */
export class Refusal extends Error {}

/** What this machine cannot do: said in one sentence. */
export class Unable extends Error {}
