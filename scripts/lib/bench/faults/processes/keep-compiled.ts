/** Loaded before a process that is killed again and again (`--import`): what Node has compiled for it is kept in
 *  `NODE_COMPILE_CACHE` while it runs. By itself Node does that at an end that such a process seldom comes to. A start
 *  then takes half the CPU. */
import { flushCompileCache } from 'node:module';

/** When everything is loaded. */
const LOADED_MS = 3_000;

setTimeout(flushCompileCache, LOADED_MS).unref();
