/** A plan's faults of disk, network, hub and Event Grid, put into force and taken away again. */
import type { NetFault, Plan } from './plan.ts';
import type { World } from './world.ts';

/** Of a ticket whose answer did not come, nobody knows: only the hub's hour ends it. */
const LOSES_TICKETS: ReadonlySet<NetFault['action']> = new Set([
  'answer lost',
  'answer cut',
  'black hole',
  'kill after',
]);

export interface FaultsInForce {
  begin(plan: Plan): void;
  /** Those of the disk begin anew, so that they meet a start.
   *  @returns how many calls had gone wrong before */
  beginDiskAnew(plan: Plan): number;
  /** @returns how many calls and requests went wrong */
  end(plan: Plan): number;
}

type Places = Pick<World, 'rules' | 'proxies' | 'eventGrid' | 'breakHub' | 'forgetTickets'>;

export function createFaultsInForce(world: Places): FaultsInForce {
  function beginDiskAnew({ disk }: Pick<Plan, 'disk'>): number {
    let fired = 0;
    for (const [process, rules] of world.rules) {
      fired += rules.fired();
      rules.set(disk.filter((one) => one.process === process).map(({ fault }) => fault));
    }
    return fired;
  }

  return {
    begin({ disk, net, hub, toldTwice }) {
      if (hub) world.breakHub(hub);
      beginDiskAnew({ disk });
      for (const [route, proxy] of world.proxies) proxy.set(net.filter((fault) => fault.route === route));
      world.eventGrid.tellTwice(toldTwice);
    },
    beginDiskAnew,
    end({ hub, net }) {
      if (hub) world.breakHub(undefined);
      if (net.some(({ route, action }) => route === 'hub' && LOSES_TICKETS.has(action)))
        world.forgetTickets();
      let fired = 0;
      for (const faulty of [...world.rules.values(), ...world.proxies.values()]) {
        fired += faulty.fired();
        faulty.set([]);
      }
      world.eventGrid.tellTwice(false);
      return fired;
    },
  };
}
