import { readFileSync } from 'node:fs';
import { ContractError, parseWithDefaults } from '@dachawatch/contracts';
import { Type, type Static } from 'typebox';

const Part = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

/** What is wrong with the sensor, until a later step says otherwise. All parts are of transactions. */
export const Faults = Type.Partial(
  Type.Object({
    nak: Part('Not answered'),
    wrong: Part('Words read with wrong bits'),
    noiseVolts: Type.Number({
      minimum: 0,
      maximum: 10,
      description: 'Noise on the voltage, standard deviation',
    }),
    noiseAmps: Type.Number({
      minimum: 0,
      maximum: 10,
      description: 'Noise on the current, standard deviation',
    }),
    offsetAmps: Type.Number({
      minimum: -20,
      maximum: 20,
      description: 'Added to the current, as a shunt of wrong size',
    }),
    absent: Type.Boolean({ description: 'No chip at the address' }),
    stuck: Type.Boolean({ description: 'Something holds the bus: no transaction ends' }),
    halted: Type.Boolean({ description: 'The converter stands still' }),
    frozen: Type.Boolean({ description: 'Every register repeats what it said' }),
  }),
  { additionalProperties: false },
);
export type Faults = Static<typeof Faults>;

export const Scenario = Type.Object(
  {
    title: Type.String({ description: 'One sentence' }),
    durationS: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
    seed: Type.Integer({ minimum: 0, default: 1, description: 'Of everything random' }),
    battery: Type.Object(
      {
        capacityMilliampHours: Type.Number({ exclusiveMinimum: 0, default: 2_600 }),
        fill: Type.Number({ minimum: 0, maximum: 1, default: 1, description: 'At the start' }),
        ohms: Type.Number({ exclusiveMinimum: 0, maximum: 5, default: 0.2, description: 'At 20 °C' }),
      },
      { additionalProperties: false, default: {} },
    ),
    wire: Type.Enum(['none', 'follows', 'stuck-present', 'stuck-absent'], {
      default: 'none',
      description: 'The mains-present wire',
    }),
    endsInPowerOff: Type.Boolean({ description: 'What the policy must do' }),
    steps: Type.Array(
      Type.Object(
        {
          atS: Type.Number({ minimum: 0 }),
          mains: Type.Optional(Type.Boolean()),
          loadWatts: Type.Optional(Type.Number({ minimum: 0, maximum: 100, description: 'Of the computer' })),
          celsius: Type.Optional(Type.Number({ minimum: -50, maximum: 80 })),
          brownOut: Type.Optional(Type.Boolean({ description: 'The chip is reset at this moment' })),
          faults: Type.Optional(Faults),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 10_000, description: 'In order of time' },
    ),
  },
  { $id: 'dachawatch/ups-scenario/1', additionalProperties: false },
);
export type Scenario = Static<typeof Scenario>;

/** Reads a scenario.
 *  @throws Error with one sentence that names file, place and what is wrong */
export function readScenario(file: string): Scenario {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`The scenario ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return checkScenario(JSON.parse(text));
  } catch (error) {
    const why =
      error instanceof ContractError || error instanceof SyntaxError ? error.message : String(error);
    throw new Error(`The scenario ${file} is refused: ${why}`, { cause: error });
  }
}

/** @throws ContractError */
export function checkScenario(value: unknown): Scenario {
  const scenario = parseWithDefaults(Scenario, value);
  const late = scenario.steps.findIndex((step, index) => step.atS < (scenario.steps[index - 1]?.atS ?? 0));
  if (late >= 0) throw new ContractError('ups-scenario', `/steps/${late}/atS`, 'is before the step above it');
  return scenario;
}
