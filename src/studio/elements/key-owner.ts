/** Elements that use plain keys themselves. */
const TYPING = new Set([
  'input',
  'textarea',
  'select',
  'sp-textfield',
  'sp-number-field',
  'sp-picker',
  'sp-slider',
]);
/** Keys that press a focused button. */
const PRESSING = new Set([' ', 'Enter']);

/**
 * Whether a key press belongs to the control that has the focus: text and numbers being typed, sliders, open menus and dialogs,
 * Space and Enter on a button, and plain keys inside the panel, which has keys of its own.
 */
export function leavesKeysAlone(event: KeyboardEvent): boolean {
  for (const target of event.composedPath()) {
    if (!(target instanceof HTMLElement)) continue;
    const name = target.localName;
    if (TYPING.has(name) || target.isContentEditable) return true;
    if (name === 'sp-menu' || name === 'sp-popover' || name === 'dialog') return true;
    // Undo and the like work from everywhere.
    if (name === 'longtake-panel') return !event.ctrlKey && !event.metaKey;
    const button = name === 'button' || name === 'sp-button' || name === 'sp-action-button';
    if (button && PRESSING.has(event.key)) return true;
  }
  return false;
}
