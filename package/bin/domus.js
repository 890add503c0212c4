#!/usr/bin/env node
// The command of an installed Majordomus. It is written for every Node there is, so that one that is too old is told so.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import(new URL('../apps/cli/src/main.js', import.meta.url).href);
} else {
  console.error(`domus: Majordomus needs Node 22.18 or later, and this is ${process.version} (${process.execPath}); install a later one and try again`);
  process.exitCode = 1;
}
