/** What the unmodified i2c-bus and the driver above it make of i2c-stub. */
import { openSync } from 'i2c-bus';
import { createIna219, REGISTER } from '../../../../agent/power/i2c/ina219.ts';
import { openI2cSmbus } from '../../../../agent/power/i2c/smbus.ts';
import { ADDRESS, BUS, createOtherEnd } from './chips.ts';
import { asFields, say } from './say.ts';

const otherEnd = createOtherEnd();

const bus = openSync(BUS);
for (const wrote of [0x0000, 0x1234, 0x8001, 0xffff]) {
  bus.writeWordSync(ADDRESS, REGISTER.shunt, wrote);
  say('i2c-bus.word', { wrote, read: bus.readWordSync(ADDRESS, REGISTER.shunt) });
}
bus.closeSync();

const settings = { address: ADDRESS, shuntOhms: 0.01, configuration: 0x0eef, calibration: 26_868 };
const smbus = await openI2cSmbus(BUS);
await smbus.writeWord(ADDRESS, REGISTER.shunt, 0x1234);
say('smbus.word', { read: await smbus.readWord(ADDRESS, REGISTER.shunt) });

const sensor = createIna219(smbus, settings);
otherEnd.battery(12.0, 0);
say('ina219.first', await sensor.read());
say('ina219.set-up', {
  configuration: otherEnd.register(REGISTER.configuration),
  calibration: otherEnd.register(REGISTER.calibration),
});
for (const [volts, amps] of [
  [12.6, 0.8],
  [11.1, -0.5],
  [9.6, -4.9],
  [9.0, 0],
] as const) {
  otherEnd.battery(volts, amps);
  say('ina219.reading', { wrote: { volts, amps }, read: await sensor.read() });
}

otherEnd.setRegister(REGISTER.configuration, 0x399f);
otherEnd.setRegister(REGISTER.calibration, 0);
say('ina219.after-reset', await sensor.read());
say('ina219.set-up-again', {
  configuration: otherEnd.register(REGISTER.configuration),
  calibration: otherEnd.register(REGISTER.calibration),
});
say('ina219.then', await sensor.read());
await smbus.close();

for (const [where, number, address] of [
  ['other-address', BUS, 0x42],
  ['empty-bus', 0, ADDRESS],
  ['no-bus', 7, ADDRESS],
] as const) {
  const port = await openI2cSmbus(number).catch((error: unknown) =>
    say('absent', { where, ...asFields(error) }),
  );
  if (!port) continue;
  await port.readWord(address, REGISTER.bus).then(
    (word) => say('absent', { where, word }),
    (error: unknown) => say('absent', { where, ...asFields(error) }),
  );
  await port.close();
}
