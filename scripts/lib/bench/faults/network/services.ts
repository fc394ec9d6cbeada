/** Storage, hub and Event Grid of a world, and the routes that lead to them. */
import { CONTAINER_CLIPS } from '@dachawatch/contracts';
import type { Certificates } from '../../../../../cloud-fn/local/certificates.ts';
import { type RunningIotHub, startIotHub } from '../../../../../cloud-fn/local/iot-hub/server.ts';
import type { Route } from '../plan.ts';
import { type StorageProcess, startStorageProcess } from '../processes/storage-process.ts';
import { DEVICE, HUB_NAME } from '../settings.ts';
import { createEventGrid, type EventGrid } from './event-grid.ts';
import { openRoutes, type Routes } from './routes.ts';

export interface Services {
  readonly storage: StorageProcess;
  readonly hub: RunningIotHub;
  readonly eventGrid: EventGrid;
  readonly routes: Routes;
  stop(): Promise<void>;
}

export interface ServicesDeps {
  /** Path of a file or folder of the world. */
  readonly at: (name: string) => string;
  readonly certificates: Certificates;
  /** Whether Event Grid hears of the house's clips. */
  readonly cloud: boolean;
  /** Kills whoever comes by this route. */
  readonly killClient: (route: Route) => void;
}

export async function startServices({
  at,
  certificates,
  cloud,
  killClient,
}: ServicesDeps): Promise<Services> {
  const storage = await startStorageProcess({
    dataDir: at('storage'),
    certificatesDir: at('certificates'),
  });
  const eventGrid = createEventGrid();
  const routes = await openRoutes({
    certificates,
    account: () => storage.account(),
    hubPort: () => hub.httpsPort,
    killClient,
    onHouseAnswer: cloud
      ? (request, status) => eventGrid.heard(request.method ?? '', request.url ?? '', status)
      : undefined,
  });
  const hub = await startIotHub({
    dataDir: at('hub'),
    ...certificates,
    hostName: HUB_NAME,
    devices: [DEVICE],
    storageConnection: routes.connection('house-blob', undefined),
    container: CONTAINER_CLIPS,
  });
  return {
    storage,
    hub,
    eventGrid,
    routes,
    async stop() {
      eventGrid.stop();
      await storage.stop();
      await routes.stop();
      await hub.stop();
    },
  };
}
