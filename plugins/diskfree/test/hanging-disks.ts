// Asks the disks as ask-disks.ts does, but every path with "hang" in its name never answers, as on a dead NFS server.
process.stdout.write('{"index":-1}\n');
const answering = process.argv.slice(2).map((path, index) => ({ path, index })).filter(({ path }) => !path.includes('hang'));
for (const { path, index } of answering) {
  process.stdout.write(`${JSON.stringify({ index, realPath: path, space: { size: 100, used: 40, free: 50, usedPercent: 45 } })}\n`);
}
if (answering.length < process.argv.length - 2) setInterval(() => {}, 60_000);
