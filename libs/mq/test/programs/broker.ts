// A broker as a process: listens at its first argument with the limits of its second, and prints where.
import { Broker, type BrokerLimits } from '../../src/index.ts';

const [endpoint = '', limits = '{}'] = process.argv.slice(2);
const broker = await Broker.bind({ endpoint, limits: JSON.parse(limits) as Partial<BrokerLimits> });
process.stdin.on('end', () => void broker.close()).resume();
console.log(broker.endpoint);
