// A plugin is named as `name` or `host.name`, and each host has its own manager and packagemanager. Whichever of them is
// asked answers for its own host, and asks the one of the host that is meant (docs/architecture.md, "Hosts").
import { ActionFailure, hostService, parsePluginId, type Contract, type InputOf, type RequestOf, type ResultOf } from '@majordomus/contracts';
import type { z } from 'zod';
import type { Client } from './client.ts';
import type { CallInfo } from './answer.ts';
import type { Handler } from './handlers.ts';
import { CallError } from './mdp/errors.ts';

/** An action on one plugin, on whichever host it is. */
type PluginAction = Contract<z.ZodType<{ readonly id: string }>, z.ZodType, 'HOST_UNKNOWN'>;

export interface OwnHost {
  /** The name of this host. */
  readonly host: string;
  readonly client: Pick<Client, 'call'>;
  /** How long another host may take. */
  readonly timeoutMs: number;
}

/** Answers for this host, given the plugin's bare name; or rather gives the answer of the host that the id names. */
export type OnOwnHost = <C extends PluginAction>(
  contract: C,
  answer: (name: string, data: RequestOf<C>, call: CallInfo) => ResultOf<C> | Promise<ResultOf<C>>,
) => Handler<C>;

/**
 * Makes handlers that answer only for this host. Another host's refusal is passed on as it came, with its code and details;
 * one that offers no such service is HOST_UNKNOWN.
 */
export function onOwnHost({ host: ownHost, client, timeoutMs }: OwnHost): OnOwnHost {
  return (contract, answer) => async (data, call) => {
    const { host, name } = parsePluginId(data.id, ownHost);
    if (host === ownHost) return await answer(name, data, call);
    const options = { service: hostService(host, contract.service), timeoutMs, signal: call.signal };
    try {
      return await client.call(contract, data as InputOf<typeof contract>, options) as ResultOf<typeof contract>;
    } catch (cause) {
      if (!(cause instanceof CallError)) throw cause;
      if (cause.code !== 'SERVICE_UNKNOWN') throw new ActionFailure(cause.code, cause.message, cause.details, { cause });
      throw new ActionFailure('HOST_UNKNOWN', `no ${contract.service} of the host ${host} is on the bus; see that its house runs and reaches this one, and that the name is right`, {}, { cause });
    }
  };
}
