// Configuration items and parameters as a person reads and types them. Pure.
import type { ConfigurationItem, JsonValue } from '@majordomus/contracts';

const typeTexts = { string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false', list: 'list of texts', object: 'object' } as const;

/** What kind of value it takes: `whole number, 1 to 100`. */
export function itemType({ type, min, max, options }: Pick<ConfigurationItem, 'type' | 'min' | 'max' | 'options'>): string {
  if (options !== undefined) return `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`;
  const of = type === 'string' || type === 'list' ? 'length ' : '';
  const range = min !== undefined && max !== undefined ? `, ${of}${min} to ${max}` : min !== undefined ? `, ${of}at least ${min}` : max === undefined ? '' : `, ${of}at most ${max}`;
  return typeTexts[type] + range;
}

/** What a person typed as a value: text where text is wanted, `a,b` as a list, else JSON. */
export function valueOf(text: string, item: Pick<ConfigurationItem, 'type'> | undefined): JsonValue {
  if (item?.type === 'string') return text;
  if (item?.type === 'list' && !text.trimStart().startsWith('[')) return text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '');
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** A value as it is shown, and as it can be typed again. */
export function valueText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
