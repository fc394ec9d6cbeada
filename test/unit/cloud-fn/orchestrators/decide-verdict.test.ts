import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnalysisDetails } from '@dachawatch/contracts';
import { decideVerdict, noAnswer } from '../../../../cloud-fn/orchestrators/decide-verdict.ts';
import { details, detection, result } from './clip-samples.ts';

type Row = readonly [
  promise: string,
  detections: AnalysisDetails['detections'],
  verdict: string,
  decision: string,
  confidence: number,
  labels: readonly string[],
  analysed?: number,
];

const inAll = { frames: 150, first_ms: 0, last_ms: 30_000 };

const TABLE: readonly Row[] = [
  ['a person is notified', [detection('person')], 'person', 'notified', 0.9, ['person']],
  [
    'a person outranks a surer vehicle and animal',
    [
      detection('dog', { confidence_max: 0.95 }),
      detection('car', { confidence_max: 0.99 }),
      detection('person', { confidence_max: 0.5 }),
    ],
    'person',
    'notified',
    0.5,
    ['car', 'dog', 'person'],
  ],
  [
    'a vehicle outranks an animal',
    [detection('cat'), detection('truck', { confidence_max: 0.7 })],
    'vehicle',
    'recorded',
    0.7,
    ['cat', 'truck'],
  ],
  ['an animal is recorded', [detection('dog')], 'animal', 'recorded', 0.9, ['dog']],
  ['nothing is safe', [], 'nothing', 'marked-safe', 0, []],
  [
    'what is not on the list does not matter',
    [detection('tv'), detection('skateboard'), detection('kite')],
    'nothing',
    'marked-safe',
    0,
    [],
  ],
  [
    'a person below the threshold does not count',
    [detection('person', { confidence_max: 0.39 })],
    'nothing',
    'marked-safe',
    0,
    [],
  ],
  [
    'one unsure frame of many is a fluke',
    [detection('person', { confidence_max: 0.5, frames: 1 })],
    'nothing',
    'marked-safe',
    0,
    [],
  ],
  [
    'one sure frame of many is a person',
    [detection('person', { confidence_max: 0.6, frames: 1 })],
    'person',
    'notified',
    0.6,
    ['person'],
  ],
  [
    'an unsure person counts when only one frame was analysed',
    [detection('person', { confidence_max: 0.5, frames: 1 })],
    'person',
    'notified',
    0.5,
    ['person'],
    1,
  ],
  [
    'one car that every frame shows stood there',
    [detection('car', inAll)],
    'nothing',
    'marked-safe',
    0,
    ['car'],
  ],
  [
    'two cars in one frame may be one that came',
    [detection('car', { ...inAll, count_max: 2 })],
    'vehicle',
    'recorded',
    0.9,
    ['car'],
  ],
  [
    'a car that some frames do not show came or left',
    [detection('car', { frames: 149 })],
    'vehicle',
    'recorded',
    0.9,
    ['car'],
  ],
  [
    'a person in every frame is a person',
    [detection('person', inAll)],
    'person',
    'notified',
    0.9,
    ['person'],
  ],
  [
    'few frames do not show that a car stood',
    [detection('car', { frames: 4 })],
    'vehicle',
    'recorded',
    0.9,
    ['car'],
    4,
  ],
  [
    'five frames do show that a car stood',
    [detection('car', { frames: 5 })],
    'nothing',
    'marked-safe',
    0,
    ['car'],
    5,
  ],
  [
    'a person just as sure as the threshold counts',
    [detection('person', { confidence_max: 0.4 })],
    'person',
    'notified',
    0.4,
    ['person'],
  ],
  [
    'a vehicle just below its threshold does not count, an animal at its own does',
    [detection('car', { confidence_max: 0.449 }), detection('dog', { confidence_max: 0.5 })],
    'animal',
    'recorded',
    0.5,
    ['dog'],
  ],
  [
    'an animal just below its threshold does not count, a vehicle at its own does',
    [detection('dog', { confidence_max: 0.499 }), detection('car', { confidence_max: 0.45 })],
    'vehicle',
    'recorded',
    0.45,
    ['car'],
  ],
  [
    'two unsure frames of many are enough',
    [detection('person', { confidence_max: 0.5, frames: 2 })],
    'person',
    'notified',
    0.5,
    ['person'],
  ],
  [
    'of several of a kind the surest speaks',
    [
      detection('bus', { confidence_max: 0.6 }),
      detection('car', { confidence_max: 0.8, frames: 3 }),
      detection('truck', { confidence_max: 0.7 }),
    ],
    'vehicle',
    'recorded',
    0.8,
    ['car', 'truck', 'bus'],
  ],
  [
    'a dog beside a parked car is an animal',
    [detection('car', inAll), detection('dog', { confidence_max: 0.7 })],
    'animal',
    'recorded',
    0.7,
    ['car', 'dog'],
  ],
];

for (const [promise, detections, verdict, decision, confidence, labels, analysed = 150] of TABLE)
  test(promise, () => {
    const judged = decideVerdict(result(details(detections, { frames: { decoded: 450, analysed } })));
    assert.deepEqual(
      [judged.verdict, judged.decision, judged.confidence, judged.labels],
      [verdict, decision, confidence, labels],
    );
    assert.match(judged.reason, /^[A-Za-z].*\.$/);
    assert.equal(judged.analysedUtc, '2026-11-21T12:00:05Z');
  });

test('what cannot be judged is undecided, never nothing', () => {
  const failed = decideVerdict(
    result({ error: { code: 'no-frames', message: 'the file is broken' } }, { status: 'FAILED' }),
  );
  assert.deepEqual(
    [failed.verdict, failed.decision, failed.problem?.code],
    ['undecided', 'failed', 'no-frames'],
  );
  assert.match(failed.reason, /the file is broken/);
  const failedWithoutReason = decideVerdict(result({}, { status: 'FAILED' }));
  assert.deepEqual([failedWithoutReason.decision, failedWithoutReason.problem?.code], ['failed', 'failed']);
  const empty = decideVerdict(result({}));
  assert.deepEqual(
    [empty.verdict, empty.decision, empty.problem?.code],
    ['undecided', 'escalated', 'no-details'],
  );
  const blind = decideVerdict(result(details([], { frames: { decoded: 0, analysed: 0 } })));
  assert.deepEqual(
    [blind.verdict, blind.decision, blind.problem?.code],
    ['undecided', 'escalated', 'no-frames'],
  );
});

const seen = (more: Partial<NonNullable<AnalysisDetails['coverage']>>) => ({
  coverage: {
    expected_ms: 35_000,
    seen_ms: 35_000,
    longest_gap_ms: 0,
    pictures: 525,
    pictures_seen: 525,
    blank_frames: 0,
    ...more,
  },
});

test('a clip of which too little was seen is undecided and says how much; just enough is enough', () => {
  const cases: readonly [ReturnType<typeof seen>, RegExp | undefined][] = [
    [seen({}), undefined],
    [seen({ seen_ms: 31_500 }), undefined],
    [
      seen({ seen_ms: 31_499 }),
      /^Only 31\.5 s of the clip's 35\.0 s could be seen\. A person has to look\.$/,
    ],
    [seen({ longest_gap_ms: 2_000 }), undefined],
    [seen({ longest_gap_ms: 2_001 }), /^The clip has a gap of 2\.0 s that could not be seen\./],
    [
      seen({ pictures_seen: 472 }),
      /^Only 472 of the clip's 525 pictures could be decoded without an error\./,
    ],
    [seen({ pictures_seen: 473 }), undefined],
    [
      seen({ pictures_seen: 0, seen_ms: 0 }),
      /^Not one picture of the clip could be decoded without an error\./,
    ],
    [seen({ blank_frames: 15 }), undefined],
    [seen({ blank_frames: 16 }), /^16 of 150 pictures show one single colour and nothing else\./],
  ];
  for (const [coverage, reason] of cases) {
    const judged = decideVerdict(result(details([], coverage)));
    assert.equal(judged.verdict, reason ? 'undecided' : 'nothing', JSON.stringify(coverage));
    assert.equal(judged.decision, reason ? 'escalated' : 'marked-safe');
    assert.equal(judged.problem?.code, reason ? 'partly-seen' : undefined);
    if (reason) assert.match(judged.reason, reason);
  }
});

test('a person seen in a part is a person; a vehicle or an animal is named, and a person has to look', () => {
  const half = seen({ seen_ms: 12_000 });
  const person = decideVerdict(result(details([detection('person')], half)));
  assert.deepEqual([person.verdict, person.decision, person.problem], ['person', 'notified', undefined]);
  assert.match(person.reason, /confidence 0\.90\. Only 12\.0 s of the clip's 35\.0 s could be seen\.$/);
  const dog = decideVerdict(result(details([detection('dog')], half)));
  assert.deepEqual(
    [dog.verdict, dog.decision, dog.labels, dog.confidence],
    ['undecided', 'escalated', ['dog'], 0],
  );
  assert.match(dog.reason, /In the rest: dog; a person has to look\.$/);
  assert.equal(dog.frame?.boxes.length, 1);
});

test('the best frame carries the boxes of what counts, and only those', () => {
  const judged = decideVerdict(result(details([detection('person'), detection('tv')])));
  assert.deepEqual(judged.frame?.boxes, [{ label: 'person', box: [0.1, 0.2, 0.3, 0.4] }]);
  assert.equal(judged.frame?.at_ms, 6_000);
});

test('what stood there is named in the reason; where nothing stood there is nothing to name', () => {
  const reasonOf = (...detections: AnalysisDetails['detections']) =>
    decideVerdict(result(details(detections))).reason;
  assert.equal(reasonOf(), 'Nothing that matters was seen.');
  assert.equal(
    reasonOf(detection('car', inAll)),
    'Nothing new was seen; car stood there from the first frame to the last.',
  );
  assert.equal(
    reasonOf(detection('car', inAll), detection('bus', inAll)),
    'Nothing new was seen; car, bus stood there from the first frame to the last.',
  );
});

test('nobody is sure of what could not be judged; a long reason of a worker is cut', () => {
  const message = 'x'.repeat(5_000);
  const failed = decideVerdict(result({ error: { code: 'c', message } }, { status: 'FAILED' }));
  assert.deepEqual([failed.confidence, failed.labels, failed.reason.length], [0, [], 1_000]);
  assert.match(failed.reason, /^The clip could not be analysed: x+$/);
  assert.equal(noAnswer(90_000).reason, 'No answer within 90 s; a person has to look.');
  assert.ok(!('analysedUtc' in noAnswer(90_000)));
});

test('a share of pictures that is just enough is enough', () => {
  const few = { pictures: 10, pictures_seen: 9 };
  assert.equal(decideVerdict(result(details([], seen(few)))).verdict, 'nothing');
});

test('when it was seen is said in seconds', () => {
  const long = decideVerdict(result(details([detection('person', { first_ms: 500, last_ms: 3_600_000 })])));
  assert.match(
    long.reason,
    /^person seen in 20 of 150 frames, from 0\.5 s to 3600\.0 s, confidence 0\.90\.$/,
  );
});
