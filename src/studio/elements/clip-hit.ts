import type { StudioClip } from './studio-clip.ts';

/** The clip that an event came from, and the trim handle, if it was one. */
export function clipOf(event: Event): { element: StudioClip; edge: 'in' | 'out' | null } | null {
  let edge: 'in' | 'out' | null = null;
  for (const target of event.composedPath()) {
    if (!(target instanceof HTMLElement)) continue;
    const named = target.dataset['edge'];
    if (named === 'in' || named === 'out') edge = named;
    if (target.localName === 'studio-clip') return { element: target as StudioClip, edge };
  }
  return null;
}

/** The gap between two clips that an event came from: its element and its first frame. */
export function gapOf(event: Event): { element: HTMLElement; start: number } | null {
  for (const target of event.composedPath()) {
    if (!(target instanceof HTMLElement)) continue;
    const start = target.dataset['gap'];
    if (start !== undefined) return { element: target, start: Number(start) };
  }
  return null;
}
