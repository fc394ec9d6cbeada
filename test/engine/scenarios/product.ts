import type { Scenarios } from '../scenario.ts';
import { FAILED, seen, uploadClip } from './clip.ts';

/** The functions app of the product itself. */
export const product: Scenarios = {
  'a clip with a person': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 1);
    stage.note('announced', await clip.announce());
    await clip.waits();
    await clip.answer([seen('person')]);
    await clip.noteOutcome('end');
  },
  'a clip with nothing': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 2);
    await clip.announce();
    await clip.waits();
    await clip.answer([]);
    await clip.noteOutcome('end');
  },
  'a clip that is announced twice at once and again after its end': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 3);
    const statuses = await Promise.all([clip.announce(), clip.announce()]);
    stage.note('one is taken', statuses.includes(202));
    await clip.waits();
    await clip.answer([seen('car')]);
    await clip.noteOutcome('end');
    stage.note('announced again', await clip.announce());
    await clip.noteOutcome('still');
  },
  'a clip that is started by hand': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 4);
    const body = { blobURL: clip.url, blobName: clip.blobName };
    await stage.ask('start', 'POST', 'orchestrators/video_orchestrator', { body });
    await clip.waits();
    await clip.answer([seen('dog')]);
    await clip.noteOutcome('end');
  },
  'a start by hand of what is not there': async (stage) => {
    const nothing = { blobURL: 'http://127.0.0.1:1/x.mp4', blobName: 'dacha-video/house-1/gate/none.mp4' };
    await stage.ask('of nothing', 'POST', 'orchestrators/video_orchestrator', { body: nothing });
    await stage.ask('of nonsense', 'POST', 'orchestrators/video_orchestrator', { body: { a: 1 } });
    await stage.ask('of no JSON', 'POST', 'orchestrators/video_orchestrator', { text: '{' });
  },
  'a clip that the worker cannot analyse': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 5);
    await clip.announce();
    await clip.waits();
    await clip.answer([], FAILED);
    await clip.noteOutcome('end');
  },
  'a clip that failed first, and a better answer after its end': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 6);
    await clip.announce();
    await clip.waits();
    await clip.answer([], FAILED);
    await clip.noteOutcome('end');
    await clip.answer([seen('person')]);
    await stage.until('it is judged again', () => stage.instance(`${clip.id}-r2`));
    await clip.noteOutcome('second', `${clip.id}-r2`);
  },
  'a clip without an answer is escalated, and a late answer is judged': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 7);
    await clip.startWith(4000);
    await clip.noteOutcome('end');
    await clip.answer([seen('person')]);
    await stage.until('it is judged again', () => stage.instance(`${clip.id}-r2`));
    await clip.noteOutcome('late', `${clip.id}-r2`);
  },
  'an answer that comes twice': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 8);
    await clip.announce();
    await clip.waits();
    await clip.answer([seen('person')]);
    await clip.answer([seen('person')]);
    await clip.noteOutcome('end');
  },
  'an answer nobody can read is put aside': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 9);
    const text = `nonsense for ${clip.id}`;
    await clip.send(text);
    const aside = await stage.until('it is put aside', async () =>
      (await clip.poison()).find((one) => one.includes(clip.id)),
    );
    const { reason, original } = JSON.parse(aside) as { reason: string; original: string };
    stage.note('aside', { reason, original });
  },
  'an answer about another clip is put aside': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 10);
    await clip.announce();
    await clip.waits();
    await clip.answer([seen('person')], { blobName: 'dacha-video/house-1/gate/other.mp4' });
    const aside = await stage.until('it is put aside', async () =>
      (await clip.poison()).find((one) => one.includes(clip.id)),
    );
    stage.note('aside', (JSON.parse(aside) as { reason: string }).reason);
    await clip.answer([]);
    await clip.noteOutcome('end');
  },
  'a webhook that refuses': async (stage) => {
    const clip = await uploadClip(stage, 'webhook-refuses', 11);
    await clip.announce();
    await clip.waits();
    await clip.answer([seen('person')]);
    await clip.noteOutcome('end');
  },
  'a webhook that hangs': async (stage) => {
    const clip = await uploadClip(stage, 'webhook-hangs', 12);
    await clip.announce();
    await clip.waits();
    await clip.answer([seen('person')]);
    await clip.noteOutcome('end');
  },
  'a clip whose analysis is suspended meanwhile': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 13);
    await clip.announce();
    await clip.waits();
    await stage.manage('POST', `instances/${clip.id}/suspend?reason=pause`);
    await stage.has(clip.id, 'Suspended');
    await clip.answer([seen('person')]);
    await stage.stays(clip.id, 'Suspended');
    await stage.manage('POST', `instances/${clip.id}/resume?reason=on`);
    await clip.noteOutcome('end');
  },
  'a clip whose answer comes after the app died': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const clip = await uploadClip(stage, 'gate', 14);
      await clip.announce();
      await clip.waits();
      await stage.kill('worker');
      await clip.answer([seen('person')]);
      await clip.noteOutcome('end');
    },
  },
  'a clip whose answer comes after the engine died': {
    needs: 'processes',
    alone: true,
    play: async (stage) => {
      const clip = await uploadClip(stage, 'gate', 15);
      await clip.announce();
      await clip.waits();
      await stage.kill('engine');
      await clip.answer([seen('person')]);
      await clip.noteOutcome('end');
    },
  },
};

/** The product where its worker's program is not there. */
export const productWithoutWorker: Scenarios = {
  'a worker that cannot start': async (stage) => {
    const clip = await uploadClip(stage, 'gate', 16);
    await clip.announce();
    await clip.noteOutcome('end');
  },
};
