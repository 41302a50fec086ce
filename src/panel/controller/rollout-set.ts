import type { ClipRecord } from '../clips/clip-record.ts';

/** Lets records that are made together know of each other, so that the set can go on after its page went away. */
export function asSet(records: readonly ClipRecord[]): ClipRecord[] {
  const ids = records.map(({ id }) => id);
  return records.map((record, index) => ({
    ...record,
    set: { ids, waiting: records.slice(index + 1).map(({ id, seed, created }) => ({ id, seed, created })) },
  }));
}

/** A record that others need not wait for any more: it is finished, or was stopped on purpose. */
export function withoutSet(record: ClipRecord): ClipRecord {
  const alone = { ...record };
  delete alone.set;
  return alone;
}

/**
 * The records of a set when one of it was thrown away: none waits for it any more. Otherwise it would be taken for one that
 * was still to be begun wherever nobody who began later is left.
 * @param clips the kept clips
 */
export function withoutMember(gone: ClipRecord, clips: readonly ClipRecord[]): ClipRecord[] {
  return clips
    .filter(({ id, set }) => id !== gone.id && set?.ids.includes(gone.id))
    .map((record) => {
      const ids = record.set!.ids.filter((id) => id !== gone.id);
      const waiting = record.set!.waiting.filter(({ id }) => id !== gone.id);
      return { ...record, set: { ids, waiting } };
    });
}

/**
 * What is still to be made of the set that a rollout cut short belongs to, in the order of the set; those that were only
 * waiting are described after its likeness. The record alone where it belongs to none.
 * @param clips the kept clips
 */
export function restOfSet(record: ClipRecord, clips: readonly ClipRecord[]): ClipRecord[] {
  const { set } = record;
  if (!set) return [record];
  const begun = set.ids.flatMap((id) => clips.find((clip) => clip.id === id && clip.set) ?? []);
  // Who began last knows best who was still waiting then.
  const { waiting } = begun.at(-1)?.set ?? set;
  const unmade = waiting.filter(({ id }) => !clips.some((clip) => clip.id === id));
  const all = [...begun, ...unmade.map((own) => ({ ...record, ...own, framesMade: 0, report: null }))];
  return asRest(
    set.ids,
    set.ids.flatMap((id) => all.find((clip) => clip.id === id) ?? []),
  );
}

/** Records that are yet to be made or finished, knowing what of the whole set still waits behind them. */
function asRest(ids: readonly string[], records: readonly ClipRecord[]): ClipRecord[] {
  return asSet(records).map((record) => ({ ...record, set: { ...record.set!, ids } }));
}
