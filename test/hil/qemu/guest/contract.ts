/** What every SMBus port promises, asked of i2c-bus on i2c-stub. */
import { openI2cSmbus } from '../../../../agent/power/i2c/smbus.ts';
import { smbusContract } from '../../../fakes/smbus-contract.ts';
import { ADDRESS, BUS } from './chips.ts';

smbusContract('i2c-bus on i2c-stub', { open: () => openI2cSmbus(BUS), address: ADDRESS, absent: 0x42 });
