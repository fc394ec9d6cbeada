import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verdict } from '@dachawatch/contracts';
import { analysisInput, BLOB_NAME, CLIP_ID, details, detection, result } from './clip-samples.ts';
import { fails, namesOf, person, run } from './clip-analysis-bench.ts';

test('a person: asked, judged, stored, told to a person and to the house', () => {
  const driven = run({ event: person });
  assert.deepEqual(namesOf(driven.actions), [
    'start_container',
    'wait',
    'send_processing_request',
    'timer',
    'any',
    'keep_picture',
    'SendVideoComplited',
    'store_verdict',
    'send_verdict_to_device',
  ]);
  assert.deepEqual(driven.steps, [
    'starting-container',
    'requesting',
    'waiting',
    'keeping-picture',
    'notifying',
    'storing',
    'telling-device',
  ]);
  assert.deepEqual(driven.inputs['send_processing_request'], {
    instance_id: 'clip-0123456789abcdef0123456789abcdef',
    blobUrl: `https://storage.test/dacha-video/${BLOB_NAME}`,
    blobName: `dacha-video/${BLOB_NAME}`,
    posted: '2026-11-21T12:00:01.000Z',
  });
  const { document, ...rest } = driven.output ?? { ok: false, problems: [] };
  assert.deepEqual(rest, {
    ok: true,
    verdict: 'person',
    decision: 'notified',
    stored: true,
    notified: true,
    device_told: true,
    problems: [],
  });
  assert.equal(document?.clip_id, CLIP_ID);
  assert.equal(document?.orchestrated_utc, '2026-11-21T12:00:00.000Z');
  assert.equal(document?.analysed_utc, '2026-11-21T12:00:05Z');
  assert.equal(document?.best_frame?.blobName, BLOB_NAME.replace('.mp4', '.best.jpg'));
});

test('nothing seen: nobody is disturbed, the house is told', () => {
  const driven = run({ event: { payload: result(details([])) } });
  assert.deepEqual(namesOf(driven.actions).slice(-2), ['store_verdict', 'send_verdict_to_device']);
  assert.deepEqual(
    [driven.output?.ok, driven.output?.decision, driven.output?.notified],
    [true, 'marked-safe', false],
  );
});

test('a vehicle or an animal is recorded, and nobody is disturbed', () => {
  for (const [label, verdict] of [
    ['car', 'vehicle'],
    ['dog', 'animal'],
  ] as const) {
    const driven = run({ event: { payload: result(details([detection(label)])) } });
    assert.deepEqual([driven.output?.verdict, driven.output?.decision], [verdict, 'recorded']);
    assert.ok(!namesOf(driven.actions).includes('SendVideoComplited'));
  }
});

test('no answer in time: escalated, undecided, not ok', () => {
  const driven = run({});
  const slice = ['timer', 'any', 'find_result'];
  assert.deepEqual(namesOf(driven.actions).slice(2), [
    'send_processing_request',
    ...Array.from({ length: 5 }, () => [...slice, 'wait']).flat(),
    ...slice,
    'Escalate',
    'store_verdict',
    'send_verdict_to_device',
  ]);
  assert.deepEqual(
    driven.actions.filter((action) => action.startsWith('timer')).map((action) => action.slice(17, 25)),
    ['12:01:02', '12:02:02', '12:03:02', '12:04:02', '12:05:02', '12:06:02'],
    'the slices end when they would have without the looking in between',
  );
  assert.equal(driven.output?.ok, false);
  assert.deepEqual([driven.output?.verdict, driven.output?.decision], ['undecided', 'escalated']);
  assert.deepEqual(
    driven.output?.problems.map(({ code }) => code),
    ['no-answer'],
  );
  assert.equal(driven.output?.document?.reason, 'No answer within 360 s; a person has to look.');
  assert.ok(!('best_frame' in (driven.output?.document ?? {})));
  assert.equal(driven.timerCancelled, false);
});

test('an answer that was stored while the time ran out is found and used', () => {
  const driven = run({ outcomes: { find_result: () => person.payload } });
  assert.deepEqual(
    [driven.output?.ok, driven.output?.verdict, driven.output?.decision],
    [true, 'person', 'notified'],
  );
});

test('a failed analysis, an answer without details and an unreadable event are all told, and not ok', () => {
  const cases = [
    [
      result({ error: { code: 'bad-video', message: 'cannot be read' } }, { status: 'FAILED' }),
      'failed',
      'SendFailureNotification',
    ],
    [result({}), 'escalated', 'Escalate'],
    [{ nonsense: true }, 'failed', 'SendFailureNotification'],
    [undefined, 'failed', 'SendFailureNotification'],
  ] as const;
  for (const [payload, decision, activity] of cases) {
    const driven = run({ event: { payload } });
    assert.deepEqual(
      [driven.output?.ok, driven.output?.verdict, driven.output?.decision],
      [false, 'undecided', decision],
    );
    assert.ok(namesOf(driven.actions).includes(activity));
    assert.equal(driven.output?.device_told, true);
  }
});

test('a clip that was seen in part is escalated with how much, stored, and told to the house; nothing calls it safe', () => {
  const coverage = {
    expected_ms: 35_000,
    seen_ms: 4_000,
    longest_gap_ms: 31_000,
    pictures: 525,
    pictures_seen: 60,
    blank_frames: 0,
  };
  const driven = run({ event: { payload: result(details([], { coverage })) } });
  const names = namesOf(driven.actions);
  assert.ok(names.includes('Escalate'), names.join(' '));
  for (const activity of ['store_verdict', 'Escalate', 'send_verdict_to_device']) {
    const { verdict } = driven.inputs[activity] as { verdict: Verdict };
    assert.deepEqual([verdict.verdict, verdict.decision], ['undecided', 'escalated'], activity);
    assert.match(verdict.reason, /Only 4\.0 s of the clip's 35\.0 s could be seen/);
  }
  assert.equal(driven.output?.problems[0]?.code, 'partly-seen');
});

test('an event that carries the JSON text, as the original worker sent it, is read', () => {
  const { blobUrl, ...old } = person.payload;
  const driven = run({ event: { payload: JSON.stringify({ ...old, blobURL: blobUrl }) } });
  assert.equal(driven.output?.verdict, 'person');
});

test('a worker that cannot be started or asked ends in a failure notification and a stored verdict', () => {
  for (const activity of ['start_container', 'send_processing_request']) {
    const driven = run({ outcomes: { [activity]: fails('quota exceeded\n    at somewhere (secret.ts:1)') } });
    assert.deepEqual(
      [driven.output?.ok, driven.output?.decision, driven.output?.stored],
      [false, 'failed', true],
    );
    assert.deepEqual(driven.output?.problems, [{ code: 'analysis-broken', message: 'quota exceeded' }]);
    assert.ok(namesOf(driven.actions).includes('SendFailureNotification'));
    assert.ok(!namesOf(driven.actions).includes('any'));
  }
});

test('a house that cannot be told does not lose the verdict', () => {
  for (const answer of [fails('link down'), () => ({ taken: false, reason: 'unknown device' })]) {
    const driven = run({ event: person, outcomes: { send_verdict_to_device: answer } });
    assert.deepEqual(
      [driven.output?.ok, driven.output?.stored, driven.output?.notified, driven.output?.device_told],
      [false, true, true, false],
    );
    assert.deepEqual(
      driven.output?.problems.map(({ code }) => code),
      ['device-not-told'],
    );
  }
});

test('a verdict does not say that somebody was notified when nobody was', () => {
  const driven = run({ event: person, outcomes: { SendVideoComplited: fails('the webhook answered 500') } });
  const sent = driven.inputs['send_verdict_to_device'] as { verdict: Verdict };
  assert.deepEqual(
    [sent.verdict.revision, sent.verdict.decision, sent.verdict.verdict],
    [1, 'recorded', 'person'],
  );
  assert.deepEqual(driven.inputs['store_verdict'], { clip: analysisInput().clip, verdict: sent.verdict });
  assert.ok(sent.verdict.best_frame, 'the picture stays');
  assert.match(sent.verdict.reason, /could not be delivered: the webhook answered 500/);
  assert.deepEqual([driven.output?.ok, driven.output?.notified], [false, false]);
});

test('a verdict that cannot be stored is still told, to a person and to the house', () => {
  const driven = run({
    event: { payload: result(details([])) },
    outcomes: { store_verdict: fails('disk full') },
  });
  assert.deepEqual(namesOf(driven.actions).slice(-3), [
    'store_verdict',
    'SendFailureNotification',
    'send_verdict_to_device',
  ]);
  assert.deepEqual(
    [driven.output?.ok, driven.output?.stored, driven.output?.device_told],
    [false, false, true],
  );
  assert.equal(driven.output?.document?.verdict, 'nothing');
});

test('a late result is judged without asking anybody, under its own revision', () => {
  const driven = run({ input: analysisInput({ revision: 2, result: person.payload }) });
  assert.deepEqual(namesOf(driven.actions), [
    'keep_picture',
    'SendVideoComplited',
    'store_verdict',
    'send_verdict_to_device',
  ]);
  assert.deepEqual([driven.output?.ok, driven.output?.document?.revision], [true, 2]);
});

test('a blob nobody recorded is judged and stored; there is no house to tell', () => {
  const { device_id: _, camera_id: __, ...clip } = analysisInput().clip;
  const driven = run({ input: analysisInput({ clip }), event: person });
  assert.ok(!namesOf(driven.actions).includes('send_verdict_to_device'));
  assert.deepEqual([driven.output?.ok, driven.output?.device_told], [true, false]);
});

test('an input that names no clip is refused and starts nothing', () => {
  for (const input of [
    undefined,
    null,
    'text',
    {},
    { clip: {} },
    { ...analysisInput(), waitMs: 0 },
    { ...analysisInput(), waitMs: 1.5 },
    { ...analysisInput(), revision: 0 },
    { ...analysisInput(), clip: { ...analysisInput().clip, blobUrl: '' } },
    { ...analysisInput(), clip: { ...analysisInput().clip, blobName: `elsewhere/${BLOB_NAME}` } },
  ]) {
    const driven = run({ input });
    assert.deepEqual(driven.actions, []);
    assert.equal(driven.output?.ok, false);
    assert.deepEqual(
      driven.output?.problems.map(({ code }) => code),
      ['bad-input'],
    );
  }
});

test('the best frame goes beside the clip before anybody is told; without one nothing is said of it', () => {
  const framed = run({ event: person });
  assert.deepEqual(framed.inputs['keep_picture'], {
    clip: analysisInput().clip,
    frame: `${BLOB_NAME}/best.jpg`,
  });
  const { best_frame: _, ...blind } = details([detection('person')]);
  const bare = run({ event: { payload: result(blind) } });
  assert.ok(!namesOf(bare.actions).includes('keep_picture'));
  assert.equal(bare.output?.document?.best_frame, undefined);
});

test('a picture that cannot be kept holds nobody up: told and stored without it', () => {
  for (const keep of [fails('forbidden'), () => ({ kept: false })]) {
    const driven = run({ event: person, outcomes: { keep_picture: keep } });
    assert.deepEqual(
      [driven.output?.decision, driven.output?.notified, driven.output?.document?.best_frame],
      ['notified', true, undefined],
    );
  }
});
