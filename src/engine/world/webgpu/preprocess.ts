import { LongtakeError } from '../../types.ts';

/** Kernel texts by file name, e.g. `matmul.wgsl`. */
export type KernelSources = ReadonlyMap<string, string>;

/** Constants substituted as text. Numbers for sizes, lower-case words for variants. */
export type KernelConstants = Readonly<Record<string, number | string>>;

interface Branch {
  /** Lines of this branch are kept. */
  active: boolean;
  /** A branch of this #if was already taken. */
  taken: boolean;
}

/**
 * Makes one WGSL text of a kernel file: `#include "file"` (each file once), `#if` / `#elif` / `#else` / `#endif` with
 * conditions `A`, `A == B`, `A != B`, and every upper-case name that is in `constants` replaced by its value.
 * @throws LongtakeError `internal` for unknown files, malformed directives and conditions on names without a value
 */
export function preprocess(sources: KernelSources, file: string, constants: KernelConstants): string {
  const included = new Set<string>();
  const output: string[] = [];
  appendFile(file);
  return output.join('\n');

  function appendFile(name: string): void {
    if (included.has(name)) return;
    included.add(name);
    const text = sources.get(name);
    if (text === undefined) throw new LongtakeError('internal', `The kernel file ${name} is missing.`);
    const branches: Branch[] = [];
    text.split('\n').forEach((line, index) => {
      const fail = (what: string): never => {
        throw new LongtakeError('internal', `${name}:${index + 1}: ${what}.`);
      };
      const active = branches.every((branch) => branch.active);
      const directive = /^#(\w+)\s*(.*)$/.exec(line.trim());
      if (!directive) {
        if (active) output.push(substitute(line, constants));
        return;
      }
      const [, word, rest] = directive as unknown as [string, string, string];
      const top = branches.at(-1);
      if (word === 'include') {
        const target = /^"([\w.-]+)"$/.exec(rest) ?? fail('malformed #include');
        if (active) appendFile(target[1]!);
      } else if (word === 'if') {
        const holds = active && evaluate(rest, constants, fail);
        branches.push({ active: holds, taken: holds });
      } else if (word === 'elif' && top) {
        const enclosing = branches.slice(0, -1).every((branch) => branch.active);
        top.active = enclosing && !top.taken && evaluate(rest, constants, fail);
        top.taken ||= top.active;
      } else if (word === 'else' && top) {
        top.active = !top.taken;
        top.taken = true;
      } else if (word === 'endif' && top) {
        branches.pop();
      } else {
        fail(`unexpected #${word}`);
      }
    });
    if (branches.length > 0) throw new LongtakeError('internal', `${name}: #if without #endif.`);
  }
}

function substitute(line: string, constants: KernelConstants): string {
  return line.replace(/\b[A-Z][A-Z0-9_]*\b/g, (name) =>
    Object.hasOwn(constants, name) ? String(constants[name]) : name,
  );
}

function evaluate(condition: string, constants: KernelConstants, fail: (what: string) => never): boolean {
  const match = /^(\w+)(?:\s*(==|!=)\s*(\w+))?$/.exec(condition) ?? fail('malformed condition');
  const value = (word: string): string => {
    if (!/^[A-Z]/.test(word)) return word;
    if (!Object.hasOwn(constants, word)) fail(`${word} has no value`);
    return String(constants[word]);
  };
  const left = value(match[1]!);
  if (match[2] === undefined) return left !== '0';
  return (left === value(match[3]!)) === (match[2] === '==');
}
