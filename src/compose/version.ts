import manifest from '../../package.json' with { type: 'json' };

/** Of the product, from its manifest. */
export const version: string = manifest.version;
