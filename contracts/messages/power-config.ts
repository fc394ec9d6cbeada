import { Type, type Static, type TProperties } from 'typebox';
import { OneOf } from '../schema-types.ts';

export const UPS_MODELS = ['waveshare-ups-module-3s'] as const;

const Line = <Extra extends TProperties>(description: string, extra: Extra) =>
  Type.Optional(
    Type.Object(
      {
        line: Type.Integer({ minimum: 0, maximum: 53, description: 'BCM number of the GPIO line' }),
        activeLow: Type.Boolean({ default: false, description: 'Low means yes' }),
        ...extra,
      },
      { description },
    ),
  );

/** Volts are those of the whole pack, under load. */
const PowerThresholds = Type.Object(
  {
    lowVolts: Type.Number({
      minimum: 2.5,
      maximum: 30,
      default: 10.2,
      description: 'Below this the battery counts as low',
    }),
    criticalVolts: Type.Number({
      minimum: 2.5,
      maximum: 30,
      default: 9.6,
      description: 'Below this for long enough the appliance switches itself off',
    }),
    hysteresisVolts: Type.Number({
      minimum: 0.05,
      maximum: 2,
      default: 0.3,
      description: 'How far above a threshold the voltage must rise before the state is left again',
    }),
    criticalForMs: Type.Integer({
      minimum: 5_000,
      maximum: 600_000,
      default: 30_000,
      description: 'How long the voltage must stay below the critical threshold',
    }),
    returnMs: Type.Integer({
      minimum: 0,
      maximum: 600_000,
      default: 20_000,
      description:
        'From the decision to switch off until it cannot be taken back: time in which mains may return',
    }),
    blindForMs: Type.Optional(
      Type.Integer({
        minimum: 60_000,
        maximum: 86_400_000,
        description:
          'Needs gpio.mainsPresent: how long without mains and without a usable sensor until the appliance switches itself off; absent: it never does',
      }),
    ),
  },
  { default: {} },
);

/** The battery and the wires of the appliance. Everything in it is optional: without a UPS the state is `unknown`. */
export const PowerConfig = Type.Object(
  {
    ups: Type.Optional(
      Type.Object({
        model: OneOf(UPS_MODELS, 'Kind of UPS'),
        bus: Type.Integer({ minimum: 0, maximum: 255, default: 1, description: 'Number of the I2C bus' }),
        address: Type.Integer({
          minimum: 0x40,
          maximum: 0x4f,
          default: 0x41,
          description: 'I2C address of its INA219, decimal: 65 is 0x41',
        }),
        shuntOhms: Type.Number({
          exclusiveMinimum: 0,
          maximum: 1,
          default: 0.01,
          description: 'Resistance of its shunt',
        }),
        configuration: Type.Integer({
          minimum: 0,
          maximum: 0x3fff,
          default: 0x0eef,
          description:
            'Configuration register, decimal: 3823 is 0x0EEF, 16 V, ±80 mV, 32 samples. It must measure shunt and bus continuously: its last three bits are 1',
        }),
        calibration: Type.Integer({
          minimum: 2,
          maximum: 0xfffe,
          multipleOf: 2,
          default: 26_868,
          description:
            'Calibration register: 0.04096 / (current step in amperes × shuntOhms), rounded down to an even number: the chip does not store its last bit',
        }),
        capacityMilliampHours: Type.Integer({
          minimum: 100,
          maximum: 100_000,
          default: 2_600,
          description: 'Capacity of one string of cells, for the minutes left',
        }),
        simulator: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 107,
            description: 'Unix socket of hardware/simulators/ups, in place of a bus',
          }),
        ),
      }),
    ),
    thresholds: PowerThresholds,
    keyPicturesOnBattery: Type.Boolean({
      default: false,
      description:
        'On battery only the key pictures of the sub-streams are decoded, whatever moves: less current, but who comes is noticed later, or missed when small or quick',
    }),
    gpio: Type.Optional(
      Type.Object({
        chipLabel: Type.String({
          minLength: 1,
          maxLength: 64,
          default: 'pinctrl-rp1',
          description: 'Label of the GPIO chip, in place of a number that changes with the kernel',
        }),
        statusLed: Line('On: all is well; blinks: something needs attention', {}),
        shutdownButton: Line('Held: the appliance switches itself off in good order', {
          holdMs: Type.Integer({
            minimum: 100,
            maximum: 30_000,
            default: 3_000,
            description: 'How long it must be held',
          }),
        }),
        mainsPresent: Line('Active while mains is there', {}),
      }),
    ),
  },
  { $id: 'dachawatch/power-config/1', default: {} },
);
export type PowerConfig = Static<typeof PowerConfig>;
