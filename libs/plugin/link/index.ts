// What the folder of a plugin outside the checkout is linked to: npm, which looks into what a folder links to, must not find the
// packages of the workspace here. It adds nothing of its own.
export * from '../src/index.ts';
