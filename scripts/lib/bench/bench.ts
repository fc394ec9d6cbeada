/** `scripts/bench`: measures the product. Its help stands in `scripts/bench`. */
import { Refusal } from '../command/ends.ts';
import { runCommand, type Work } from '../command/run-command.ts';

const BENCHES: Readonly<Record<string, () => Promise<Work>>> = {
  alert: async () => (await import('./alert/alert.ts')).benchAlert,
  boot: async () => (await import('./boot/boot.ts')).benchBoot,
  capture: async () => (await import('./capture/capture.ts')).benchCapture,
  detector: async () => (await import('./detector/detector.ts')).benchDetector,
  faults: async () => (await import('./faults/faults.ts')).benchFaults,
  fuzz: async () => (await import('./fuzz/fuzz.ts')).benchFuzz,
  hostile: async () => (await import('./hostile/hostile.ts')).benchHostile,
  kills: async () => (await import('./kills/kills.ts')).benchKills,
  motion: async () => (await import('./motion/motion.ts')).benchMotion,
  mutants: async () => (await import('./mutants/mutants.ts')).benchMutants,
  orchestrator: async () => (await import('./orchestrator/orchestrator.ts')).benchOrchestrator,
  packets: async () => (await import('./packets/packets.ts')).benchPackets,
  page: async () => (await import('./page/page.ts')).benchPage,
  reconnects: async () => (await import('./reconnects/reconnects.ts')).benchReconnects,
  storm: async () => (await import('./storm/storm.ts')).benchStorm,
  upload: async () => (await import('./upload/upload.ts')).benchUpload,
  verdicts: async () => (await import('./verdicts/verdicts.ts')).benchVerdicts,
  yolo: async () => (await import('./yolo/yolo.ts')).benchYolo,
};

await runCommand(
  'scripts/bench',
  async () => {
    const [, , name = ''] = process.argv;
    const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (!load)
      throw new Refusal(
        `${name ? `there is no benchmark "${name}"` : 'say what to measure'}: ${Object.keys(BENCHES).join(', ')}`,
      );
    const bench = await load();
    return ([, ...args], signal) => bench(args, signal);
  },
  { onSignal: 'abort' },
);
