// The settings of the broker: where it listens, and every limit of docs/protocol.md, rule R13.
import { defaultBrokerLimits, type BrokerLimits } from '@majordomus/mq';
import { bindSetting, commonSettings, parseFlags, readSettings as readAll, StartError, type CommonSettings, type Setting, type SettingDefinitions } from '@majordomus/runtime';
import { z } from 'zod';

const limitDescriptions = {
  defaultTimeoutMs: 'the deadline of a request that gives none',
  maxTimeoutMs: 'the longest deadline a request may have',
  discoveryGraceMs: 'how long a request waits for a service that has no worker',
  heartbeatMs: 'how often workers are told that the broker lives',
  livenessMs: 'how long a worker may be silent',
  maxBodyBytes: 'the largest body that is passed on',
  maxFrameBytes: 'the largest frame that is read; the connection of who sends a larger one is closed',
  maxOpenPerClient: 'how many requests a client may have open',
  maxWaitingPerService: 'how many requests may wait for one service',
  maxCapacity: 'how many requests a worker may take at once',
  maxHeldBytes: 'how many bytes all waiting requests may hold together',
  maxConnections: 'how many clients and workers may be connected at once',
  maxRememberedEpochs: 'how many services that are gone keep their epoch',
} as const satisfies Record<keyof BrokerLimits, string>;

const positiveInteger = z.coerce.number({ error: 'must be a whole number above 0' }).int('must be a whole number above 0').positive('must be a whole number above 0');

function limitSetting(key: keyof BrokerLimits): Setting<number> {
  const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { name, table: 'limits', description: limitDescriptions[key], schema: positiveInteger, fallback: defaultBrokerLimits[key] };
}

const limitKeys = Object.keys(limitDescriptions) as (keyof BrokerLimits)[];
const limitSettings = Object.fromEntries(limitKeys.map((key) => [key, limitSetting(key)])) as Record<keyof BrokerLimits, Setting<number>>;

const settings = { ...commonSettings, bind: bindSetting, ...limitSettings } satisfies SettingDefinitions;

export interface BrokerSettings extends CommonSettings {
  readonly bind: string;
  readonly limits: BrokerLimits;
}

/** @throws StartError for a wrong setting */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): BrokerSettings {
  const all = readAll(settings, { flags: parseFlags(settings, args), env });
  const limits = Object.fromEntries(limitKeys.map((key) => [key, all[key]])) as Record<keyof BrokerLimits, number>;
  if (limits.maxFrameBytes <= limits.maxBodyBytes) {
    throw new StartError('SETTING_INVALID', `max-frame-bytes (${limits.maxFrameBytes}) must be above max-body-bytes (${limits.maxBodyBytes}), or a body that is too large closes the connection instead of being answered`);
  }
  return { home: all.home, broker: all.broker, host: all.host, logLevel: all.logLevel, bind: all.bind, limits };
}
