import { arrange, element, row, say } from './elements.js';

const at = (id) => document.getElementById(id);

const POWER_LEVEL = {
  unknown: 'notice',
  'on-mains': 'calm',
  'on-battery': 'notice',
  low: 'trouble',
  critical: 'trouble',
};

/** Draws power, machine and the settings that the cloud has set. What nobody knows is not there.
 *  @param {object} status answer of `/api/status` */
export function showMachine(status, texts, format) {
  show('power', powerRows(status.power, texts, format));
  show('desired', desiredRows(status, texts));
  const rows = machineRows(status, texts, format);
  show('machine', rows);
  const worst = ['trouble', 'notice'].find((level) => rows.some(({ dataset }) => dataset.level === level));
  at('machine-part').dataset.level = worst ?? 'calm';
  say(at('machine-summary'), texts.t('page.machine'));
}

function show(id, rows) {
  at(`${id}-part`).hidden = rows.length === 0;
  arrange(at(id), rows);
}

const known = (texts) => texts.filter((text) => text !== null && text !== undefined);

function powerRows(power, { t }, format) {
  if (!power) return [];
  // Without a UPS nothing is wrong, and nothing is known.
  if (!power.isWatched && !power.shutdown)
    return [row({ level: 'none', title: t('power.unwatched'), state: [] })];
  const { state, sinceUtc, detail, volts, percent, minutesLeft, shutdown } = power;
  return [
    row({
      level: POWER_LEVEL[state],
      title: t(`power.${state}`),
      state: known([
        state === 'unknown' ? null : t('power.since', { since: format.since(sinceUtc) }),
        percent === null ? null : t('power.charge', { percent: format.percent(percent / 100) }),
        volts === null ? null : t('power.volts', { volts: format.number(volts) }),
        minutesLeft === null ? null : t('power.left', { n: minutesLeft }),
      ]),
      detail: shutdown ? null : detail,
    }),
    shutdown && row({ level: 'trouble', title: t('power.off'), state: [t(`power.off.${shutdown}`)], detail }),
  ].filter(Boolean);
}

function desiredRows({ desiredVersion, refused, refusedCount }, { t }) {
  if (!desiredVersion && refusedCount === 0) return [];
  return [
    row({
      level: refusedCount > 0 ? 'notice' : 'calm',
      title: t('desired.version', { version: desiredVersion }),
      state: [refusedCount > 0 ? t('desired.refused', { n: refusedCount }) : t('desired.applied')],
      extra: [
        refused.length > 0 &&
          element(
            'ul',
            { class: 'refused' },
            ...refused.map(({ path, reason }) =>
              element(
                'li',
                {},
                element('code', { text: path }),
                element('p', { class: 'detail', text: reason }),
              ),
            ),
          ),
      ],
    }),
  ];
}

function machineRows({ health, disk, versions }, texts, format) {
  return [
    health && processorRow(health, texts, format),
    health && memoryRow(health, texts, format),
    disk && diskRow(disk, texts, format),
    health && timeRow(health, texts, format),
    versions && versionsRow(versions, texts),
  ].filter(Boolean);
}

/** Ends the name of what is not so any more. */
const EARLIER = '-since-boot';

function processorRow({ cpuCelsius, load1, cores, throttled = [], attention }, { t, knows }, format) {
  const name = (flag) => (knows(`throttled.${flag}`) ? t(`throttled.${flag}`) : flag);
  const now = throttled.filter((flag) => !flag.endsWith(EARLIER));
  const earlier = throttled
    .filter((flag) => flag.endsWith(EARLIER))
    .map((flag) => name(flag.slice(0, -EARLIER.length)));
  return row({
    level: attention.hot || attention.underVoltage ? 'notice' : 'calm',
    title: t('machine.processor'),
    state: known([
      cpuCelsius === undefined ? null : format.celsius(cpuCelsius),
      t('machine.load', { load: format.number(load1), cores }),
      ...earlier.map((what) => t('machine.earlier', { what })),
    ]),
    detail: now.map(name).join(', '),
  });
}

const memoryRow = ({ memoryTotalBytes, memoryAvailableBytes, agentBytes }, { t }, format) =>
  row({
    level: 'calm',
    title: t('machine.memory'),
    state: [
      t('machine.free', { free: format.size(memoryAvailableBytes), all: format.size(memoryTotalBytes) }),
      t('machine.agentBytes', { size: format.size(agentBytes) }),
    ],
  });

const diskRow = ({ diskFreeBytes, diskTotalBytes, full, nearlyFull }, { t }, format) =>
  row({
    level: full ? 'trouble' : nearlyFull ? 'notice' : 'calm',
    title: t('machine.disk'),
    state: [t('machine.free', { free: format.size(diskFreeBytes), all: format.size(diskTotalBytes) })],
  });

const timeRow = ({ uptimeSeconds, agentUptimeSeconds, clock }, { t }, format) =>
  row({
    level: clock === 'synchronised' ? 'calm' : 'notice',
    title: t('machine.time'),
    state: [
      t(`clock.${clock}`),
      t('machine.uptime', { span: format.span(uptimeSeconds) }),
      t('machine.agentUptime', { span: format.span(agentUptimeSeconds) }),
    ],
  });

const versionsRow = ({ agent, node, kernel, os, hardware }, { t }) =>
  row({
    level: 'calm',
    title: t('machine.versions'),
    state: [`Dachawatch ${agent}`, `Node.js ${node}`, `Linux ${kernel}`, os, hardware],
  });
