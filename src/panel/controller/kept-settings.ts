import type { KeyValueStore } from '../hosts/host-adapter.ts';
import type { Settings } from '../state/panel-state.ts';

const SETTINGS = 'longtake.settings';

/** The settings that the panel was last used with, as far as they are kept. */
export async function loadSettings(values: KeyValueStore): Promise<Partial<Settings>> {
  const value = await values.get(SETTINGS);
  return typeof value === 'object' && value !== null ? keptSettings(value as Record<string, unknown>) : {};
}

/** Keeps the settings that suit the next clip too. A full store only costs them. */
export async function saveSettings(
  values: KeyValueStore,
  { seconds, profile, fitSeconds, content }: Settings,
): Promise<void> {
  await values.set(SETTINGS, { seconds, profile, fitSeconds, content }).catch(() => undefined);
}

export async function forgetSettings(values: KeyValueStore): Promise<void> {
  await values.remove(SETTINGS);
}

function keptSettings(value: Record<string, unknown>): Partial<Settings> {
  const kept: Partial<Settings> = {};
  if (typeof value['seconds'] === 'number') kept.seconds = value['seconds'];
  const profile = value['profile'];
  if (profile === 'draft' || profile === 'preview' || profile === 'final') kept.profile = profile;
  if (typeof value['fitSeconds'] === 'number') kept.fitSeconds = value['fitSeconds'];
  const content = value['content'];
  if (content === 'continuation' || content === 'extended') kept.content = content;
  return kept;
}
