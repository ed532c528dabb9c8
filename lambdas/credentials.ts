/** Stands in for `@aws-sdk/credential-provider-node` in the bundles of functions, whose credentials are in the environment. */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
