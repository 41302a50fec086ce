/** The parts of a keyboard event that decide. */
export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/**
 * Whether a key press is the one described, such as `Mod+Shift+z`, `ArrowLeft`, `?`. `Mod` is Ctrl, or Cmd on a Mac.
 * Shift counts only where the description names it or the key is a letter or a named key: `?` needs Shift on most
 * keyboards and not on others.
 */
export function matchesKeys(press: KeyPress, keys: string): boolean {
  const parts = keys.split('+').filter((part, i, all) => part !== '' || i === all.length - 1);
  const key = parts.pop() || '+';
  const mod = parts.includes('Mod');
  if ((press.ctrlKey || press.metaKey) !== mod || press.altKey !== parts.includes('Alt')) return false;
  const symbol = key.length === 1 && key.toLowerCase() === key.toUpperCase() && key !== ' ';
  if (!symbol && press.shiftKey !== parts.includes('Shift')) return false;
  return press.key.toLowerCase() === key.toLowerCase();
}

const NAMES: Record<string, string> = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Delete: 'Del',
  ContextMenu: 'Menu',
};

/** Keys as a menu shows them: `Ctrl+Shift+Z`, on a Mac `⇧⌘Z`. */
export function keysLabel(keys: string, mac: boolean): string {
  const parts = keys.split('+').filter((part, i, all) => part !== '' || i === all.length - 1);
  const key = parts.pop() || '+';
  const name = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  if (mac) {
    const signs: Record<string, string> = { Mod: '⌘', Shift: '⇧', Alt: '⌥' };
    return (
      [...parts]
        .reverse()
        .map((part) => signs[part] ?? part)
        .join('') + name
    );
  }
  return [...parts.map((part) => (part === 'Mod' ? 'Ctrl' : part)), name].join('+');
}

/** Whether this is a Mac, where Cmd takes the place of Ctrl. */
export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
