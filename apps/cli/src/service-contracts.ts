// Which actions a service answers, as far as the contracts say it: by the part that its name stands for. Pure.
import { contracts, dbmanagerServices, type Contract } from '@majordomus/contracts';

const byPart: ReadonlyMap<string, readonly Contract[]> = new Map<string, readonly Contract[]>([
  ...Object.entries(contracts),
  ...dbmanagerServices.map((name) => [name, contracts.dbmanager] as const),
]);

/** The actions of a service; `<host>.<name>` is a plugin unless a part of that name has one on each host. */
export function contractsOf(service: string): readonly Contract[] {
  const part = service.slice(service.indexOf('.') + 1);
  const known = part === 'plugin' ? undefined : byPart.get(part);
  return known ?? (part === service ? [] : contracts.plugin);
}

/** The contract of an action under its name or an alias, or undefined for what the contracts do not know. */
export function contractOf(service: string, action: string): Contract | undefined {
  return contractsOf(service).find((contract) => contract.action === action || contract.aliases.includes(action));
}

/** Whether a service is a plugin, as far as its name tells. */
export function isPluginService(service: string): boolean {
  return contractsOf(service) === contracts.plugin;
}
