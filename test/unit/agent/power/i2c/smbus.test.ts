import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeI2cError, openI2cSmbus } from '../../../../../agent/power/i2c/smbus.ts';
import { Failure } from '../../../../../agent/kernel/failure.ts';
import { createFakeSmbus } from '../../../../fakes/smbus.ts';
import { smbusContract } from '../../../../fakes/smbus-contract.ts';
import { createUpsModel } from '../../../../../hardware/simulators/ups/ups-model.ts';
import { checkScenario } from '../../../../../hardware/simulators/ups/scenario.ts';
import { portOf } from '../../../../../hardware/simulators/ups/rehearsal.ts';

const chip = createFakeSmbus(0x41);
smbusContract('fake', { open: async () => chip.reopened(), address: 0x41, absent: 0x44 });

{
  const scenario = checkScenario({ title: 't', durationS: 1, endsInPowerOff: false, steps: [{ atS: 0 }] });
  const model = createUpsModel({ scenario });
  smbusContract('model', { open: async () => portOf(model, () => 0), address: 0x41, absent: 0x44 });
}

const AT = { bus: 1, address: 0x41, buses: ['13 (Synopsys)'] };

test('a chip that does not answer is told from a bus that is missing or forbidden, each in one sentence', () => {
  const describe = (error: object) => describeI2cError(error, AT);
  const said = (error: object) => [describe(error).code, describe(error).message];
  const noChip = ['smbus.no-chip', 'no chip answers at 0x41 on I2C bus 1'];
  // EREMOTEIO on the Pi's buses, whose name Node does not know; ENXIO elsewhere; ENODEV from i2c-stub.
  assert.deepEqual(said({ errno: 121, code: '', syscall: 'readWord' }), noChip);
  assert.deepEqual(said({ errno: 6, code: 'ENXIO', syscall: 'readWord' }), noChip);
  assert.deepEqual(said({ errno: 19, code: 'ENODEV', syscall: 'readWord' }), noChip);
  assert.deepEqual(said({ errno: -2, code: 'ENOENT', syscall: 'open' }), [
    'smbus.no-bus',
    'there is no I2C bus 1 (/dev/i2c-1): this machine has 13 (Synopsys)',
  ]);
  assert.equal(describe({ errno: -6, code: 'ENXIO', syscall: 'open' }).code, 'smbus.no-bus');
  assert.deepEqual(said({ errno: -13, code: 'EACCES', syscall: 'open' }), [
    'smbus.no-access',
    'the I2C bus 1 may not be used: /dev/i2c-1 needs the group i2c',
  ]);
  assert.equal(describe({ errno: 16, code: 'EBUSY', syscall: 'setAddr' }).code, 'smbus.in-use');
  assert.match(describe({ errno: 110, code: 'ETIMEDOUT', syscall: 'readWord' }).message, /0x41.*ETIMEDOUT/);
});

test('a bus that this machine does not have is named with the first transaction', async () => {
  const smbus = await openI2cSmbus(213);
  await assert.rejects(smbus.readWord(0x41, 0), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'smbus.no-bus');
    assert.match(error.message, /no I2C bus 213 \(\/dev\/i2c-213\): this machine has/);
    return true;
  });
  await smbus.close();
  await assert.rejects(smbus.readWord(0x41, 0), /closed/);
});
