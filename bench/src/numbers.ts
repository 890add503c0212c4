// Numbers as they stand in a table; what was not measured is a dash.

/** A whole number, with its thousands apart. */
export function whole(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : Math.round(value).toLocaleString('en');
}

export function decimal(value: number | undefined, digits = 2): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

/** How much of `base` a value is. */
export function ratio(value: number | undefined, base: number | undefined): string {
  return value === undefined || base === undefined ? '–' : decimal(value / base);
}

/** The one in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** Bytes in the unit that is read best, in powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'] as const;
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** step).toPrecision(3))} ${units[step] ?? ''}`;
}
