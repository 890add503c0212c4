// Our own client under load: as many callers as requests are to be open, each waiting for its answer, as a program would do it.
import { Client } from '@majordomus/mq';
import { echo, lamp } from './echo-contract.ts';
import { options, service, type Way } from './options.ts';
import { Tally } from './tally.ts';

const timeoutMs = 30_000;

/** Each sends a request with its number, and says whether the answer is that to this request. */
const ways: Readonly<Record<Way, (client: Client, number: number) => Promise<boolean>>> = {
  async request(client, number) {
    const { data } = await client.request(service, { action: echo.action, data: lamp(number) }, { timeoutMs });
    return data['number'] === number;
  },
  async call(client, number) {
    return (await client.call(echo, lamp(number), { timeoutMs })).number === number;
  },
};

await using client = new Client({ endpoint: options.endpoint });
await client.manage('mmi.service', service);
const send = ways[options.way];
const tally = new Tally();
await Promise.all(Array.from({ length: options.window }, async () => {
  while (tally.goesOn) {
    const sentMs = performance.now();
    try {
      tally.answered(sentMs, await send(client, tally.sent()));
    } catch (error) {
      tally.failed();
      console.error(error);
      break;
    }
  }
}));
tally.print();
