// The management interface, MMI (RFC 8): questions about the broker itself, asked as requests to `mmi.*` (rule R12).
import type { BrokerStatus, ServiceState } from './broker-state.ts';
import type { Frame } from './frames.ts';

/** The answer to the management service `name`, asked with the first frame of the body, as one frame of text. */
export function answerMmi(
  name: string,
  question: Frame | undefined,
  services: ReadonlyMap<string, ServiceState>,
  status: () => BrokerStatus,
): string {
  const asked = question === undefined || question.length === 0 ? undefined : services.get(question.toString('latin1'));
  switch (name) {
    case 'mmi.service':
      return asked !== undefined && asked.workers > 0 ? '200' : '404';
    case 'mmi.services':
      return [...services.values()].filter(({ workers }) => workers > 0).map(({ frame }) => frame.toString()).sort().join(', ');
    case 'mmi.workers':
      return String(asked?.workers ?? 0);
    case 'mmi.majordomus':
      return JSON.stringify(status());
    default:
      return '501';
  }
}
