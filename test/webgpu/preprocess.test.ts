import { describe, expect, it } from 'vitest';
import { preprocess } from '../../src/engine/world/webgpu/preprocess.ts';

const expand = (files: Record<string, string>, constants: Record<string, number | string> = {}): string =>
  preprocess(new Map(Object.entries(files)), 'main.wgsl', constants)
    .split('\n')
    .filter((line) => line !== '')
    .join('|');

describe('preprocess', () => {
  it('includes each file once, also from includes', () => {
    const files = {
      'main.wgsl': '#include "a.wgsl"\n#include "b.wgsl"\nc',
      'a.wgsl': 'a',
      'b.wgsl': '#include "a.wgsl"\nb',
    };
    expect(expand(files)).toBe('a|b|c');
  });

  it('substitutes whole upper-case names only', () => {
    expect(expand({ 'main.wgsl': 'N NN n N4 f(N)' }, { N: 8 })).toBe('8 NN n N4 f(8)');
  });

  it.each([
    [{ KIND: 'a', ON: 0 }, 'is a|off|end'],
    [{ KIND: 'b', ON: 1 }, 'is b|on|end'],
    [{ KIND: 'c', ON: 0 }, 'other|off|end'],
    [{ KIND: 'c', ON: 2 }, 'other|on|nested|end'],
  ])('keeps the branches that hold for %j', (constants, expected) => {
    const main =
      '#if KIND == a\nis a\n#elif KIND == b\nis b\n#else\nother\n#endif\n' +
      '#if ON\non\n#if ON != 1\nnested\n#endif\n#else\noff\n#endif\nend';
    expect(expand({ 'main.wgsl': main }, constants)).toBe(expected);
  });

  it('skips what lies in a branch that does not hold', () => {
    const main = '#if A\n#include "missing.wgsl"\n#if UNKNOWN\n#endif\n#elif B\nb\n#elif UNKNOWN\n#endif';
    expect(expand({ 'main.wgsl': main }, { A: 0, B: 1 })).toBe('b');
  });

  it('repeats lines, also inside each other and around conditions', () => {
    const main = '#repeat i N\nv$i\n#repeat j 2\n#if $j == 1\nw$i_$j\n#endif\n#endrepeat\n#endrepeat\nend';
    expect(expand({ 'main.wgsl': main }, { N: 2 })).toBe('v0|w0_1|v1|w1_1|end');
    expect(expand({ 'main.wgsl': main }, { N: 0 })).toBe('end');
    expect(expand({ 'main.wgsl': '#if A\n#repeat i UNKNOWN\na\n#endrepeat\n#endif\nb' }, { A: 0 })).toBe('b');
  });

  it.each([
    '#repeat i 2',
    '#endrepeat',
    '#repeat 2\n#endrepeat',
    '#repeat i MISSING\n#endrepeat',
    '#if A',
    '#endif',
    '#else',
    '#if MISSING\n#endif',
    '#if A ==\n#endif',
    '#include missing',
    '#other',
  ])('refuses %j', (main) => {
    expect(() => expand({ 'main.wgsl': main }, { A: 1 })).toThrow(/main\.wgsl/);
  });

  it('refuses a missing file', () => {
    expect(() => expand({ 'main.wgsl': '#include "none.wgsl"' })).toThrow(/none\.wgsl/);
  });
});
