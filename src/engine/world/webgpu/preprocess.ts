import { LongtakeError } from '../../types.ts';

/** Kernel texts by file name, e.g. `matmul.wgsl`. */
export type KernelSources = ReadonlyMap<string, string>;

/** Constants substituted as text. Numbers for sizes, lower-case words for variants. */
export type KernelConstants = Readonly<Record<string, number | string>>;

/** Lines between `#repeat` and `#endrepeat`, gathered until the end is reached. */
interface Repeat {
  letter: string;
  count: number;
  lines: string[];
}

interface Branch {
  /** Lines of this branch are kept. */
  active: boolean;
  /** A branch of this #if was already taken. */
  taken: boolean;
}

/**
 * Makes one WGSL text of a kernel file: `#include "file"` (each file once), `#if` / `#elif` / `#else` / `#endif` with
 * conditions `A`, `A == B`, `A != B`, and every upper-case name that is in `constants` replaced by its value. Lines between
 * `#repeat i COUNT` and `#endrepeat` are written COUNT times, with `$i` replaced by 0, 1, … (compilers keep matrices of
 * matrix units in registers only where they are variables of their own, not elements that a loop counts through).
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
    appendLines(name, text.split('\n'), 0);
  }

  function appendLines(name: string, lines: readonly string[], before: number): void {
    const branches: Branch[] = [];
    const repeats: Repeat[] = [];
    let start = 0;
    lines.forEach((line, at) => {
      const index = before + at;
      const fail = (what: string): never => {
        throw new LongtakeError('internal', `${name}:${index + 1}: ${what}.`);
      };
      const active = branches.every((branch) => branch.active);
      const directive = /^#(\w+)\s*(.*)$/.exec(line.trim());
      const repeat = repeats.at(-1);
      if (directive?.[1] === 'repeat') {
        const [, letter, count] = /^([a-z])\s+(\w+)$/.exec(directive[2]!) ?? fail('malformed #repeat');
        if (repeats.length === 0) start = index + 1;
        else repeat!.lines.push(line);
        repeats.push({ letter: letter!, count: active ? number(count!, constants, fail) : 0, lines: [] });
        return;
      }
      if (directive?.[1] === 'endrepeat' && repeat) {
        repeats.pop();
        const outer = repeats.at(-1);
        if (outer) outer.lines.push(...repeat.lines, line);
        else {
          for (let i = 0; i < repeat.count; i++) {
            const own = repeat.lines.map((inner) => inner.replaceAll(`$${repeat.letter}`, String(i)));
            appendLines(name, own, start);
          }
        }
        return;
      }
      if (repeat) {
        repeat.lines.push(line);
        return;
      }
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
    if (repeats.length > 0) throw new LongtakeError('internal', `${name}: #repeat without #endrepeat.`);
  }
}

function substitute(line: string, constants: KernelConstants): string {
  return line.replace(/\b[A-Z][A-Z0-9_]*\b/g, (name) =>
    Object.hasOwn(constants, name) ? String(constants[name]) : name,
  );
}

function number(word: string, constants: KernelConstants, fail: (what: string) => never): number {
  const value = Number(constants[word] ?? word);
  return Number.isInteger(value) && value >= 0 ? value : fail(`${word} is no number of times`);
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
