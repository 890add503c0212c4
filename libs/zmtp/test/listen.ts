// A process that listens at a path, to be killed.
import { createServer } from 'node:net';

createServer().listen(process.argv[2], () => process.send?.('listening'));
