// What a person types at the simulator, and what it shows. Commands in, text out; the line does the rest.
import { hex } from '../module-types.ts';
import type { Message } from '../message.ts';
import type { SimulatedModule } from './simulated-module.ts';
import type { SimulatorLine } from './simulator-line.ts';

export const consoleHelp = `press ADDRESS BUTTON   somebody presses a button, such as: press 3 1
status                 how all relays are
fragment on|off        each byte comes alone
garble N               garbage before every Nth frame; 0 for none
drop N                 every Nth frame is lost; 0 for none
garbage                garbage on the line, once
mute on|off            no module answers
bus off|on             the interface says that the bus is off, or on again
hangup                 the gateway ends all connections
help                   this
quit                   the end, as Ctrl-C`;

/** Does what was typed; gives what to print, or undefined for the end. */
export function runConsoleLine(line: SimulatorLine, text: string): string | undefined {
  const [command = '', first = '', second = ''] = text.trim().split(/\s+/);
  const number = Number(first);
  const isCount = /^\d+$/.test(first);
  const isSwitch = first === 'on' || first === 'off';
  switch (command) {
    case '':
      return '';
    case 'press':
      return press(line, number, Number(second));
    case 'status':
      return statusText(line);
    case 'fragment':
      if (!isSwitch) break;
      line.faults = { ...line.faults, fragment: first === 'on' };
      return `fragment ${first}`;
    case 'garble':
      if (!isCount) break;
      line.faults = { ...line.faults, garbleEvery: number };
      return `garble ${number}`;
    case 'drop':
      if (!isCount) break;
      line.faults = { ...line.faults, dropEvery: number };
      return `drop ${number}`;
    case 'garbage':
      line.sendGarbage();
      return 'garbage sent';
    case 'mute':
      if (!isSwitch) break;
      line.muted = first === 'on';
      return `mute ${first}`;
    case 'bus':
      if (!isSwitch) break;
      line.send({ kind: first === 'on' ? 'bus-active' : 'bus-off' });
      return `bus ${first}`;
    case 'hangup':
      line.hangUp();
      return 'all connections are ended';
    case 'help':
      return consoleHelp;
    case 'quit':
      return undefined;
    default:
      return `there is no command ${JSON.stringify(command)}; help gives all`;
  }
  return `${command} cannot be used so; it is:\n${consoleHelp.split('\n').filter((help) => help.startsWith(`${command} `)).join('\n')}`;
}

function press(line: SimulatorLine, address: number, channel: number): string {
  const module = line.bus.module(address);
  if (module === undefined) return `there is no module at address ${address}`;
  if (!(channel >= 1 && channel <= module.buttons)) return `the ${module.name} has ${module.buttons === 0 ? 'no buttons' : `buttons 1 to ${module.buttons}`}`;
  line.press(address, channel);
  return `button ${channel} of the ${module.name} was pressed`;
}

/** One line for each module. */
export function statusText(line: SimulatorLine): string {
  return line.bus.modules.map((module) => `${hex(module.address)} ${module.name}  ${moduleText(module)}`).join('\n');
}

function moduleText(module: SimulatedModule): string {
  if (module.relays === 0) return `${module.buttons} push buttons`;
  return Array.from({ length: module.relays }, (_nothing, index) => `relay ${index + 1} ${module.isOn(index + 1) ? 'on' : 'off'}`).join(', ');
}

/** What a person sees of what is said on the bus; undefined for what is of no interest. */
export function messageText(message: Message): string | undefined {
  switch (message.kind) {
    case 'relay-status':
      return `relay ${message.channel} at ${hex(message.address)} is ${message.status === 0 ? 'off' : 'on'}${message.remainingSeconds > 0 ? ` for ${message.remainingSeconds} s` : ''}`;
    case 'module-type':
      return `the module at ${hex(message.address)} said what it is`;
    default:
      return undefined;
  }
}
