import { parseArgs } from 'node:util';
import { writeLogLine } from '@dachawatch/contracts/standard-error';
import { startIotHub } from './server.ts';

const HELP = `A loopback IoT Hub: devices over MQTT and HTTPS, the service over HTTPS and AMQP, all on 127.0.0.1.

  --data DIR         the hub's memory
  --cert FILE        server certificate, PEM; covers localhost
  --key FILE         its key
  --ca FILE          repeated in the ready line, for the caller's convenience
  --host-name NAME   the hub's name in tokens (default: dacha-hub.local)
  --mqtt-port N      0 or absent: the system chooses; likewise
  --https-port N
  --amqp-port N
  --container NAME   container of uploads (default: dacha-video)
  --device ID        a device that must exist; repeatable
  --help

DACHA_STORAGE_CONNECTION is the connection string of the storage account behind file upload.
Prints one JSON line with ports and connection strings when it serves. The line holds keys.`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      cert: { type: 'string' },
      key: { type: 'string' },
      ca: { type: 'string' },
      'host-name': { type: 'string', default: 'dacha-hub.local' },
      'mqtt-port': { type: 'string', default: '0' },
      'https-port': { type: 'string', default: '0' },
      'amqp-port': { type: 'string', default: '0' },
      container: { type: 'string', default: 'dacha-video' },
      device: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  const { data, cert, key, help } = values;
  if (help) return undefined;
  if (!data || !cert || !key) throw new Error('--data, --cert and --key are needed; see --help');
  const port = (name: 'mqtt-port' | 'https-port' | 'amqp-port') => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < 0 || number > 65_535)
      throw new Error(`--${name} must be a port number, not ${values[name]}`);
    return number;
  };
  return {
    dataDir: data,
    certFile: cert,
    keyFile: key,
    caFile: values.ca,
    hostName: values['host-name'],
    mqttPort: port('mqtt-port'),
    httpsPort: port('https-port'),
    amqpPort: port('amqp-port'),
    container: values.container,
    devices: values.device,
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!options) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  const storageConnection = process.env['DACHA_STORAGE_CONNECTION'];
  const hub = await startIotHub({
    ...options,
    ...(storageConnection ? { storageConnection } : {}),
    log: (fields) => writeLogLine(`${JSON.stringify(fields)}\n`),
  });

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    hub.stop().then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`the hub did not stop cleanly: ${error.message}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', stop);

  const [device] = options.devices;
  const ready = {
    ready: true,
    mqttPort: hub.mqttPort,
    httpsPort: hub.httpsPort,
    amqpPort: hub.amqpPort,
    hostName: options.hostName,
    ...(device ? { deviceConnectionString: hub.deviceConnectionString(device) } : {}),
    serviceConnectionString: hub.serviceConnectionString,
    ...(options.caFile ? { caFile: options.caFile } : {}),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
}

main().catch((error: Error) => {
  process.stderr.write(`iot-hub: ${error.message}\n`);
  process.exitCode = 2;
});
