/** One undoable step: the value before it, and the words for the Undo and Redo buttons ("Split clip"). */
interface Step<T> {
  value: T;
  label: string;
}

/** A value with its past and future. */
export interface History<T> {
  readonly present: T;
  readonly past: readonly Step<T>[];
  readonly future: readonly Step<T>[];
}

/** Steps kept; older ones are forgotten. */
const LIMIT = 200;

/** A history without past. */
export function startHistory<T>(present: T): History<T> {
  return { present, past: [], future: [] };
}

/** Makes `next` the present. The same value again is no step. */
export function record<T>(history: History<T>, next: T, label: string): History<T> {
  if (Object.is(next, history.present)) return history;
  const past = [...history.past, { value: history.present, label }].slice(-LIMIT);
  return { present: next, past, future: [] };
}

/** Changes the present without a step: for facts that no undo should take back, such as imported media. */
export function amend<T>(history: History<T>, change: (value: T) => T): History<T> {
  return { ...history, present: change(history.present) };
}

/** One step back, or the same history at its beginning. */
export function undo<T>(history: History<T>): History<T> {
  const step = history.past[history.past.length - 1];
  if (!step) return history;
  return {
    present: step.value,
    past: history.past.slice(0, -1),
    future: [{ value: history.present, label: step.label }, ...history.future],
  };
}

/** One step forward again, or the same history at its end. */
export function redo<T>(history: History<T>): History<T> {
  const step = history.future[0];
  if (!step) return history;
  return {
    present: step.value,
    past: [...history.past, { value: history.present, label: step.label }],
    future: history.future.slice(1),
  };
}
