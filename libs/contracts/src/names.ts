// The names of hosts, plugins and services, and how they are put together.
import { z } from 'zod';

/** Services that run once in a house or once on a host, and other words that no plugin may be called. */
export const reservedNames: ReadonlySet<string> = new Set([
  'admin', 'broker', 'cli', 'dbmanager', 'dbmgr', 'house', 'manager', 'mmi', 'mq',
  'node_modules', 'packagemanager', 'rest', 'rinor', 'scenario', 'web',
]);

const name = '[a-z][a-z0-9-]{0,62}';
const host = '[a-z0-9][a-z0-9-]{0,62}';

export const hostName = z
  .string()
  .regex(new RegExp(`^${host}$`), 'must be a host name: lower-case letters, digits and "-", 63 at most')
  .describe('the host');

/** A name in the configuration: a plugin, or a part of the house. */
export const componentName = z
  .string()
  .regex(new RegExp(`^${name}$`), 'must be a name: a lower-case letter, then letters, digits and "-", 63 at most')
  .describe('the plugin, or the part of the house');

export const pluginName = componentName
  .refine((name) => !reservedNames.has(name), { error: 'must not be a reserved name' })
  .describe('the name of the plugin');

/** A plugin as a person names it: `name` on this host, or `host.name`. */
export const pluginId = z
  .string()
  .regex(new RegExp(String.raw`^(${host}\.)?${name}$`), 'must be a plugin: its name, or host.name')
  .describe('the plugin: its `name` on this host, or `host.name`');

/** Splits a `pluginId`; a bare name belongs to `ownHost`. */
export function parsePluginId(id: string, ownHost: string): { readonly host: string; readonly name: string } {
  const dot = id.indexOf('.');
  return dot < 0 ? { host: ownHost, name: id } : { host: id.slice(0, dot), name: id.slice(dot + 1) };
}

/** The service name of what runs once on each host: `<host>.<service>`. */
export function hostService(host: string, service: string): string {
  return `${host}.${service}`;
}
