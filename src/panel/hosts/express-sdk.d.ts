/** The add-on SDK is loaded by URL inside Adobe Express; its types come from npm. */
declare module 'https://new.express.adobe.com/static/add-on-sdk/sdk.js' {
  export { default } from '@adobe/ccweb-add-on-sdk-types/iframe-ui';
  export * from '@adobe/ccweb-add-on-sdk-types/iframe-ui';
}
