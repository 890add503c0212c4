// Where the bus is, as it is configured: HOST:PORT of a TCP gateway, or the path of a serial device. Pure.

export type Device = { readonly protocol: 'tcp'; readonly host: string; readonly port: number } | { readonly protocol: 'serial'; readonly path: string };

/** The device, or why it can be none and what to type. */
export function parseDevice(protocol: string, device: string): Device | { readonly problem: string } {
  if (protocol === 'serial') return device.startsWith('/') ? { protocol, path: device } : { problem: serialProblem(device) };
  const [, host, port] = /^(?:tcp:\/\/)?(\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(device) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return { problem: tcpProblem(device) };
  return { protocol: 'tcp', host: host.replaceAll(/[[\]]/g, ''), port: Number(port) };
}

/** As a person wrote it. */
export function deviceName(device: Device): string {
  if (device.protocol === 'serial') return device.path;
  return `${device.host.includes(':') ? `[${device.host}]` : device.host}:${device.port}`;
}

function serialProblem(device: string): string {
  const seemsTcp = /:\d+$/.test(device);
  const advice = seemsTcp ? 'domus config set velbus protocol tcp' : 'domus config set velbus device /dev/ttyACM0';
  return `device must be the path of a serial device for the protocol serial, not ${JSON.stringify(device)}; set it: ${advice}`;
}

function tcpProblem(device: string): string {
  if (device.startsWith('tls:')) return `device must be HOST:PORT, not ${JSON.stringify(device)}: velbus speaks no TLS; let the gateway listen without it, in a network that you trust`;
  const advice = device.startsWith('/') ? 'domus config set velbus protocol serial' : 'domus config set velbus device 192.168.1.5:27015';
  return `device must be HOST:PORT for the protocol tcp, not ${JSON.stringify(device)}; set it: ${advice}`;
}
