// A number of bytes for a person, in the unit that fits.

const mebibyte = 1024 * 1024;

export function sizeText(bytes: number): string {
  const size = bytes / mebibyte;
  if (size < 1) return `${Math.ceil(bytes / 1024)} KiB`;
  return size >= 10_000 ? `${Math.round(size / 1024)} GiB` : `${size >= 10 ? Math.round(size) : size.toFixed(1)} MiB`;
}
