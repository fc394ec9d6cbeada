import functions from '@azure/functions';
import { stopPorts } from './composition.ts';

/** When the host ends orderly, so do the worker and the link to the hub. A host that is killed takes the worker with
 *  it all the same: its IPC channel closes. */
functions.app.hook.appTerminate(stopPorts);
