// Curves as SVG, from text to text. The colours are chosen by the reader's own theme, light or dark; lines differ in their dashes,
// too, so that nobody needs the colours.

export interface Axis {
  readonly label: string;
  readonly scale: Scale;
  /** Where it is marked; without them at round numbers. */
  readonly ticks?: readonly number[];
  readonly format: (value: number) => string;
}

export interface Plot {
  /** The name of its file, without the ending. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

export type Scale = 'linear' | 'log';
type Point = readonly [x: number, y: number];
type Range = readonly [low: number, high: number];

const size = { width: 760, height: 420 } as const;
const frame = { left: 84, right: 744, top: 76, bottom: 360 } as const;
const legendStep = 178;
const steps = [1, 2, 5] as const;
/** Distinct to most eyes, on white and on black. */
const lines = [
  { light: '#0b62c4', dark: '#5aa9ff', dash: '' },
  { light: '#b3261e', dark: '#ff8a80', dash: '8 4' },
  { light: '#1b7a3d', dark: '#63d48c', dash: '2 4' },
  { light: '#8a4fbe', dark: '#cf9fff', dash: '10 3 2 3' },
] as const;

/** Where on a line from `from` to `to` a value stands. */
export function placeOn(scale: Scale, [low, high]: Range, [from, to]: Range): (value: number) => number {
  const of = scale === 'log' ? Math.log10 : (value: number): number => value;
  return (value) => from + ((of(value) - of(low)) / (of(high) - of(low))) * (to - from);
}

/** Round numbers that enclose all values: a linear scale begins at 0, a logarithmic one just below the smallest. */
export function roundTicks(scale: Scale, values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (scale === 'log') return logTicks(low, high);
  const step = [1, 2, 5, 10].map((each) => each * 10 ** Math.floor(Math.log10(high / 5))).find((each) => each * 6 >= high) ?? high;
  return Array.from({ length: Math.ceil(high / step) + 1 }, (_, index) => index * step);
}

/** Powers of ten, and 2 and 5 times those where there would be few. One power more at each end, since a logarithm is not exact. */
function logTicks(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)) - 1, Math.ceil(Math.log10(high)) + 1];
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  const all = high / low > 1000 ? powers : powers.flatMap((power) => steps.map((step) => step * power));
  const first = all.findLastIndex((tick) => tick <= low);
  const last = all.findIndex((tick, index) => tick >= high && index > first);
  return all.slice(first, last + 1);
}

/** @returns a whole SVG document */
export function plotSvg({ title, x, y, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  const xTicks = x.ticks ?? roundTicks(x.scale, points.map(([value]) => value));
  const yTicks = y.ticks ?? roundTicks(y.scale, points.map(([, value]) => value));
  const atX = placeOn(x.scale, ends(xTicks), [frame.left, frame.right]);
  const atY = placeOn(y.scale, ends(yTicks), [frame.bottom, frame.top]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(title)}">`,
    style(),
    `<text class="title" x="${frame.left}" y="24">${escaped(title)}</text>`,
    ...series.map(({ name }, index) => legend(name, index)),
    ...yTicks.map((tick) => `<path class="grid" d="M${frame.left} ${at(atY(tick))}H${frame.right}"/><text class="end" x="${frame.left - 8}" y="${at(atY(tick) + 4)}">${escaped(y.format(tick))}</text>`),
    ...xTicks.map((tick) => `<path class="grid" d="M${at(atX(tick))} ${frame.top}V${frame.bottom}"/><text class="middle" x="${at(atX(tick))}" y="${frame.bottom + 20}">${escaped(x.format(tick))}</text>`),
    `<text class="middle" x="${(frame.left + frame.right) / 2}" y="${frame.bottom + 46}">${escaped(x.label)}</text>`,
    `<text class="middle" transform="translate(18 ${(frame.top + frame.bottom) / 2}) rotate(-90)">${escaped(y.label)}</text>`,
    ...series.map((one, index) => curve(one.points.map(([left, up]) => [atX(left), atY(up)]), index)),
    '</svg>\n',
  ].join('\n');
}

function style(): string {
  const colours = (theme: 'light' | 'dark'): string => lines.map((line, index) => `.line${index}{stroke:${line[theme]}}.dot${index}{fill:${line[theme]}}`).join('');
  const dashes = lines.map(({ dash }, index) => `.line${index}{stroke-dasharray:${dash === '' ? 'none' : dash}}`).join('');
  return `<style>text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}.grid{stroke:#8c959f;stroke-opacity:.3}.line{fill:none;stroke-width:2}${dashes}${colours('light')}@media(prefers-color-scheme:dark){text{fill:#e6edf3}${colours('dark')}}</style>`;
}

function legend(name: string, index: number): string {
  const left = frame.left + index * legendStep;
  return `<path class="line line${index}" d="M${left} 48h28"/><text x="${left + 36}" y="52">${escaped(name)}</text>`;
}

function curve(points: readonly Point[], index: number): string {
  const dots = points.map(([left, up]) => `<circle class="dot${index}" cx="${at(left)}" cy="${at(up)}" r="3"/>`);
  return `<path class="line line${index}" d="M${points.map(([left, up]) => `${at(left)} ${at(up)}`).join('L')}"/>${dots.join('')}`;
}

function ends(ticks: readonly number[]): Range {
  return [ticks[0] ?? 0, ticks.at(-1) ?? 1];
}

/** A tenth of a pixel is enough. */
const at = (value: number): string => String(Math.round(value * 10) / 10);

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
