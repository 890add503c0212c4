// The only place that knows which devices there are.
import type { OpenLink } from './link.ts';
import { openSerial } from './serial-link.ts';
import { openTcp } from './tcp-link.ts';

export const openLink: OpenLink = async (device, listener, signal) =>
  await (device.protocol === 'tcp' ? openTcp(device, listener, signal) : openSerial(device, listener, signal));
