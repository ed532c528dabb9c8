import fc from 'fast-check';

/**
 * Property tests draw the same cases at each run, so that a failure tells of the change and not of luck. To look further:
 * `PROPERTY_SEED=random npm run jest`, or a number, as a failure prints it.
 */
const wanted = process.env.PROPERTY_SEED ?? '1';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
