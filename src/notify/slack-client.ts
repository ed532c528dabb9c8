/** Slack's client by name: a bundle gives a CommonJS package that is loaded later as one default export. */
export { LogLevel, WebClient } from '@slack/web-api';
