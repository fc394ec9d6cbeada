import { Value } from 'typebox/value';
import { Faults } from './scenario.ts';
import type { UpsModel } from './ups-model.ts';

export const COMMANDS = `mains on | off      put the plug in, pull it
volts V | auto      hold the pack at V volts, whatever the battery does; let go
load W              what the computer takes
fault NAME VALUE    nak, wrong, noiseVolts, noiseAmps, offsetAmps: a number; absent, stuck, halted, frozen: true, false
faults none         a healthy sensor
brown-out           reset the chip
state               what is really so`;

/** One command, as a line. Answers `{"ok": true, ...what is really so}` or `{"ok": false, "why"}`. */
export function createCommands(model: UpsModel, elapsedMs: () => number): (line: string) => string {
  let faults: Faults = {};

  const number = (text: string | undefined, most: number): number => {
    const value = Number(text);
    if (text === undefined || text === '' || !(value >= 0 && value <= most))
      throw new Error(`a number from 0 to ${most} is wanted, not "${text ?? ''}"`);
    return value;
  };

  function setFault(name: string | undefined, text: string | undefined): void {
    const value = text === 'true' ? true : text === 'false' ? false : Number(text);
    const next: unknown = { ...faults, [name ?? '']: value };
    if (!Value.Check(Faults, next)) throw new Error(`there is no fault "${name ?? ''}" of "${text ?? ''}"`);
    faults = next;
    model.setFaults(faults);
  }

  function obey([verb = '', first, second]: readonly string[]): void {
    switch (verb) {
      case 'mains':
        if (first !== 'on' && first !== 'off') throw new Error('mains is on or off');
        return model.setMains(first === 'on');
      case 'volts':
        return model.holdVolts(first === 'auto' ? null : number(first, 16));
      case 'load':
        return model.setLoad(number(first, 100));
      case 'fault':
        return setFault(first, second);
      case 'faults':
        if (first !== 'none') throw new Error('faults can only be none');
        faults = {};
        return model.setFaults(faults);
      case 'brown-out':
        return model.brownOut();
      case 'state':
        return undefined;
      default:
        throw new Error(`there is no command "${verb}"`);
    }
  }

  return (line) => {
    model.advanceTo(elapsedMs());
    try {
      obey(line.trim().split(/\s+/));
      return JSON.stringify({ ok: true, ...model.truth() });
    } catch (error) {
      return JSON.stringify({ ok: false, why: (error as Error).message });
    }
  };
}
