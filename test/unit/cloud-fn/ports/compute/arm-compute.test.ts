import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { readArmResource } from '../../../../../cloud-fn/ports/compute/arm-compute.ts';
import { createContainerAppsJob } from '../../../../../cloud-fn/ports/compute/container-apps-job.ts';
import { createContainerGroup } from '../../../../../cloud-fn/ports/compute/container-group.ts';
import { type ArmTrouble, credential, startFakeArm, SUBSCRIPTION } from '../../../../fakes/cloud/arm.ts';

const resource = { subscriptionId: SUBSCRIPTION, resourceGroup: 'house', name: 'yolo' };
const VARIANTS = [
  ['container apps job', createContainerAppsJob],
  ['container instances', createContainerGroup],
] as const;

async function variant(
  t: TestContext,
  create: (typeof VARIANTS)[number][1],
  more: Partial<typeof resource> = {},
  deadlineMs?: number,
) {
  const arm = await startFakeArm();
  t.after(() => arm.stop());
  const port = create(
    { credential, endpoint: arm.endpoint, ca: arm.ca },
    { ...resource, ...more },
    deadlineMs,
  );
  t.after(() => port.stop());
  return { arm, port };
}

for (const [name, create] of VARIANTS) {
  test(`${name}: what it asks is what Azure documents, and a start is not waited for`, async (t) => {
    const { arm, port } = await variant(t, create);
    await port.ensureWorker();
    assert.deepEqual(arm.complaints, []);
    const [look, start, ...more] = arm.requests;
    assert.match(
      look ?? '',
      /^GET \/subscriptions\/[-0-9]+\/resourceGroups\/house\/providers\/Microsoft\.\w+\/\w+\/yolo/,
    );
    assert.match(start ?? '', /^POST .*\/yolo\/start$/);
    // An SDK may ask once how the start is; it never waits for its end, which this Azure does not tell.
    assert.ok(more.length <= 1, more.join());
  });

  test(`${name}: one that somebody else has started is not started again`, async (t) => {
    const { arm, port } = await variant(t, create);
    arm.startElsewhere();
    assert.equal(await port.ensureWorker(), 'running');
    assert.equal(arm.starts(), 1);
  });

  test(`${name}: a start that meets another one counts as running; one that is refused without a worker fails`, async (t) => {
    const { arm, port } = await variant(t, create);
    arm.plays('POST', [{ status: 409, code: 'QuotaReached' }]);
    await assert.rejects(port.ensureWorker(), {
      name: 'PortFailure',
      kind: 'transient',
      code: 'compute.arm-409',
      message: /yolo could not be started: it cannot be started now \(.*QuotaReached/,
    });
    arm.plays('POST', [{ status: 409, code: 'ContainerGroupTransitioning' }]);
    const asked = port.ensureWorker();
    arm.startElsewhere();
    assert.equal(await asked, 'running');
  });

  const failures: readonly (readonly [what: string, trouble: ArmTrouble, code: string, said: RegExp])[] = [
    [
      'an identity that is not accepted',
      { status: 401, code: 'InvalidAuthenticationToken' },
      'compute.arm-401',
      /is not accepted/,
    ],
    ['a role that is missing', { status: 403, code: 'AuthorizationFailed' }, 'compute.arm-403', /role/],
    [
      'an Azure that stays busy',
      { status: 429, code: 'TooManyRequests', retryAfterS: 0 },
      'compute.arm-429',
      /patience/,
    ],
    [
      'an Azure that is broken',
      { status: 500, code: 'InternalServerError' },
      'compute.arm-500',
      /InternalServerError/,
    ],
    ['a connection that breaks', 'reset', 'compute.arm-unreachable', /could not be started/],
  ];
  for (const [what, trouble, code, said] of failures)
    test(`${name}: ${what} is told, to be tried again by who asked`, async (t) => {
      const { arm, port } = await variant(t, create);
      arm.plays(
        'GET',
        Array.from({ length: 4 }, () => trouble),
      );
      await assert.rejects(port.ensureWorker(), {
        name: 'PortFailure',
        kind: 'transient',
        code,
        message: said,
      });
      assert.equal(arm.starts(), 0);
      assert.ok(arm.requests.length <= 2, 'the SDK tries once more at most');
    });

  test(`${name}: Azure that is busy once is asked again`, async (t) => {
    const { arm, port } = await variant(t, create);
    arm.plays('GET', [{ status: 429, code: 'TooManyRequests', retryAfterS: 0 }]);
    assert.equal(await port.ensureWorker(), 'started');
  });

  test(`${name}: an Azure that hangs is given up, and the next call asks anew`, async (t) => {
    const { arm, port } = await variant(t, create, {}, 300);
    arm.plays('GET', ['hang']);
    await assert.rejects(port.ensureWorker(), {
      code: 'compute.arm-deadline',
      message: /was not started in time/,
    });
    const { port: patient } = await variant(t, create);
    assert.equal(await patient.ensureWorker(), 'started');
  });

  test(`${name}: a thing that is not there is named`, async (t) => {
    const { port } = await variant(t, create, { name: 'nobody' });
    await assert.rejects(port.ensureWorker(), {
      code: 'compute.arm-404',
      message: /nobody could not be started: there is no such thing; is its resource id right\?/,
    });
  });
}

test('a resource id is taken apart, whatever its case; what is none of that type is none', () => {
  const id = `/subscriptions/${SUBSCRIPTION}/resourceGroups/my.house_(1)/providers/Microsoft.App/jobs/yolo`;
  const parts = { subscriptionId: SUBSCRIPTION, resourceGroup: 'my.house_(1)', name: 'yolo' };
  assert.deepEqual(readArmResource(id, 'Microsoft.App/jobs'), parts);
  assert.deepEqual(
    readArmResource(
      id.replace('resourceGroups', 'resourcegroups').replace('App', 'app'),
      'Microsoft.App/jobs',
    ),
    parts,
  );
  for (const odd of [
    '',
    id.slice(1),
    `${id}/start`,
    id.replace('yolo', ''),
    id.replace('0000', 'xxxx'),
    `${id}?x=1`,
  ])
    assert.equal(readArmResource(odd, 'Microsoft.App/jobs'), undefined, odd);
  assert.equal(readArmResource(id, 'Microsoft.ContainerInstance/containerGroups'), undefined);
});
