// The management interface, MMI (RFC 8): questions about the broker itself, asked as requests to `mmi.*` (rule R12).
import type { BrokerStatus } from './broker-state.ts';
import type { Frame } from './frames.ts';
import type { Services } from './services.ts';

/** The answer to the management service `name`, asked with the first frame of the body, as one frame of text. */
export function answerMmi(
  name: string,
  question: Frame | undefined,
  services: Pick<Services, 'byKey' | 'epochOf'>,
  status: () => BrokerStatus,
): string {
  const key = question?.toString('latin1') ?? '';
  const asked = services.byKey.get(key);
  switch (name) {
    case 'mmi.service':
      return asked !== undefined && asked.workers > 0 ? '200' : '404';
    case 'mmi.services':
      return [...services.byKey.values()].filter(({ workers }) => workers > 0).map(({ frame }) => frame.toString()).sort().join(', ');
    case 'mmi.workers':
      return String(asked?.workers ?? 0);
    case 'mmi.epoch':
      return String(services.epochOf(key) ?? 404);
    case 'mmi.majordomus':
      return JSON.stringify(status());
    default:
      return '501';
  }
}
