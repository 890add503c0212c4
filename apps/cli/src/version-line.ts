// Which versions of Majordomus understand each other on one bus: those between which nothing incompatible may have changed.

/** Whether two versions are of one line (semver.org, rules 4 and 8): the same major version, below 1.0 the same minor one. */
export function sameLine(a: string, b: string): boolean {
  return lineOf(a) === lineOf(b);
}

function lineOf(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
}
