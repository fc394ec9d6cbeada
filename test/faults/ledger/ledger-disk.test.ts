import { test } from 'node:test';
import { NO_SMALL_DISK, onSmallDisk } from './small-disk.ts';

const PROMISES: readonly { readonly promise: string; readonly scenario: string; readonly sizeMb?: number }[] =
  [
    {
      promise: 'a disk full to the last byte at start: the ledger opens, repairs, makes room and records',
      scenario: 'fullAtStart',
    },
    {
      promise:
        'a disk full of clips that are nowhere else goes on recording: the oldest go, explained, and the reserve is made again',
      scenario: 'noDeadlock',
    },
    {
      promise:
        'a clip that could not be sealed for want of room is sealed when there is room, with what its writer knew; fsck says so meanwhile',
      scenario: 'sealWaits',
    },
    {
      promise: 'a disk that is full during a repair loses nothing; the next repair puts it right',
      scenario: 'repairWaits',
    },
    {
      promise: 'a message or an event that a full disk refuses is taken when there is room',
      scenario: 'messagesWait',
    },
    {
      promise:
        'a card that turns read-only while the agent runs loses no clip, and goes on when it can be written',
      scenario: 'readOnly',
    },
    {
      promise:
        'nothing is recorded below the mount point of a disk of clips that is not mounted, and all is as before when it is',
      scenario: 'notMounted',
    },
    { promise: 'a reserve that only looks large is made real', scenario: 'sparseReserve' },
  ];

for (const { promise, scenario, sizeMb = 24 } of PROMISES)
  test(promise, { skip: NO_SMALL_DISK ?? false }, async (t) => {
    await onSmallDisk(t, scenario, sizeMb);
  });
