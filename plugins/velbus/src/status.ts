// The command `status`: all that is known, as JSON.
import type { Bus } from './bus.ts';
import type { KnownModule } from './bus-model.ts';
import { deviceName } from './device.ts';
import { hex } from './module-types.ts';

export function statusOf(bus: Bus) {
  const { connection, counters, device, model } = bus;
  return {
    connection: {
      protocol: device.protocol,
      device: deviceName(device),
      state: connection.state,
      ...(connection.state === 'connected' && { seconds: Math.round((performance.now() - connection.sinceMs) / 1000) }),
      ...(connection.state === 'unreachable' && { reason: connection.reason }),
    },
    bus: { interface: model.hold ?? 'ready', ...counters },
    modules: model.modules.map(moduleStatus),
  };
}

function moduleStatus({ address, type, about, relays, buttons }: KnownModule) {
  return {
    address,
    hexAddress: hex(address),
    type: hex(type),
    name: about.name,
    relays: Array.from({ length: about.relays }, (_nothing, index) => {
      const relay = relays.get(index + 1);
      return { channel: index + 1, state: relay === undefined ? 'unknown' : relay.on ? 'on' : 'off', remainingSeconds: relay?.remainingSeconds ?? 0 };
    }),
    buttons: [...buttons].sort(([one], [other]) => one - other).map(([channel, state]) => ({ channel, state })),
  };
}
