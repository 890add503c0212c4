// What the plugin does. What it can be told and asked stands in ../plugin.json; an editor knows its types from there.
import { freemem, totalmem } from 'node:os';
import { definePlugin } from '@majordomus/plugin';
import manifest from '../plugin.json' with { type: 'json' };

/** @param {() => number} measure gives the used memory in percent; a test gives its own */
export function memoryPlugin(measure = usedMemory) {
  /** @type {{ used: number, measuredAt: string } | null} */
  let last = null;
  return definePlugin(manifest, {
    // Called once. While `measure` throws, the plugin is shown as not ready, with the reason, and is asked again.
    start({ configuration, every, clock, log }) {
      every(configuration.interval * 1000, () => {
        last = { used: measure(), measuredAt: new Date(clock.wallMs()).toISOString() };
        log.info(last, 'measured');
      });
    },
    // One function for each command of plugin.json.
    helpers: {
      memory: () => last,
    },
  });
}

function usedMemory() {
  return Math.round((1 - freemem() / totalmem()) * 100);
}
