// The public face of the runtime: what every process of the house needs.
export * from './clock.ts';
export * from './did-you-mean.ts';
export * from './home.ts';
export * from './home-lock.ts';
export * from './lifecycle.ts';
export * from './log.ts';
export * from './readiness.ts';
export * from './settings.ts';
export * from './start-error.ts';
export * from './version.ts';
