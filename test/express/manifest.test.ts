import { readFileSync } from 'node:fs';
import { AddOnManifestValidator } from '@adobe/ccweb-add-on-manifest';
import { describe, expect, it } from 'vitest';

const manifest = JSON.parse(readFileSync(new URL('../../manifest.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;
const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

function validate(candidate: unknown, isDeveloperAddOn: boolean) {
  return new AddOnManifestValidator(new Map()).validateManifestSchema(candidate as never, {
    sourceId: 'longtake',
    privileged: false,
    isDeveloperAddOn,
  });
}

describe('the add-on manifest', () => {
  it.each([
    ['development', true],
    ['the marketplace', false],
  ])('passes Adobe’s validator for %s', (_name, isDeveloperAddOn) => {
    expect(validate(manifest, isDeveloperAddOn)).toEqual({ success: true });
  });

  it('would not pass with a key that Adobe does not know', () => {
    const requirements = { ...(manifest['requirements'] as object), gpu: true };
    expect(validate({ ...manifest, requirements }, false).success).toBe(false);
  });

  it('has the version of the product and asks for no permission', () => {
    expect(manifest['version']).toBe(packageJson.version);
    expect(JSON.stringify(manifest)).not.toMatch(/permissions|experimentalApis|oauth/);
    expect(String(manifest['name']).length).toBeLessThanOrEqual(25);
  });
});
