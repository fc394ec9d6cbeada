import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../agent/kernel/failure.ts';
import { REGISTER } from '../../agent/power/i2c/ina219.ts';
import type { OpenSmbus } from '../../agent/power/i2c/smbus.ts';

export interface SmbusContract {
  /** Opens the port again with every call. */
  readonly open: OpenSmbus;
  /** Where a chip with an INA219's registers 0 and 5 answers. */
  readonly address: number;
  /** Where nobody answers. */
  readonly absent: number;
}

/** What every SMBus port promises: the bus of this machine (against i2c-stub), the simulator's socket, the fake. */
export function smbusContract(name: string, { open, address, absent }: SmbusContract): void {
  test(`${name}: a word that was written is read back as the same number, high byte and low byte in place`, async () => {
    const smbus = await open();
    try {
      for (const [register, word] of [
        [REGISTER.configuration, 0x0eef],
        [REGISTER.calibration, 0x68f4],
        [REGISTER.calibration, 0x0102],
      ] as const) {
        await smbus.writeWord(address, register, word);
        assert.equal(await smbus.readWord(address, register), word);
      }
    } finally {
      await smbus.close();
    }
  });

  test(`${name}: questions asked at once are each answered with their own word`, async () => {
    const smbus = await open();
    try {
      await smbus.writeWord(address, REGISTER.configuration, 0x0eef);
      await smbus.writeWord(address, REGISTER.calibration, 0x68f4);
      const order = [REGISTER.calibration, REGISTER.configuration, REGISTER.calibration];
      const words = await Promise.all(order.map((register) => smbus.readWord(address, register)));
      assert.deepEqual(words, [0x68f4, 0x0eef, 0x68f4]);
    } finally {
      await smbus.close();
    }
  });

  test(`${name}: an address where nobody answers is told from a missing bus, and the port still works`, async () => {
    const smbus = await open();
    try {
      await assert.rejects(
        smbus.readWord(absent, REGISTER.bus),
        (error) =>
          error instanceof Failure &&
          error.code === 'smbus.no-chip' &&
          error.message.includes(`0x${absent.toString(16).toUpperCase()}`),
      );
      await smbus.writeWord(address, REGISTER.calibration, 0x68f4);
      assert.equal(await smbus.readWord(address, REGISTER.calibration), 0x68f4);
    } finally {
      await smbus.close();
    }
  });

  test(`${name}: a closed port refuses, and a new one finds what the old one wrote`, async () => {
    const first = await open();
    await first.writeWord(address, REGISTER.calibration, 0x0506);
    await first.close();
    await assert.rejects(
      first.readWord(address, REGISTER.calibration),
      (error) => error instanceof Failure && error.code === 'smbus.closed',
    );
    const second = await open();
    try {
      assert.equal(await second.readWord(address, REGISTER.calibration), 0x0506);
    } finally {
      await second.close();
    }
  });
}
