/**
 * The AWS SDK's usual way to credentials, by name: a bundle gives a CommonJS package that is loaded later as one default export. Whoever loads it
 * later loads this.
 */
export { defaultProvider } from '@aws-sdk/credential-provider-node';
