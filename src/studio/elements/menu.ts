import { html, nothing, render, type TemplateResult } from 'lit';
import { ifDefined } from 'lit/directives/if-defined.js';
import type { Observable } from 'rxjs';
import { Overlay } from '@spectrum-web-components/overlay/src/Overlay.js';
import { VirtualTrigger } from '@spectrum-web-components/overlay/src/VirtualTrigger.js';
import type { Command } from '../commands/command.ts';
import { isMac, keysLabel } from '../commands/keys.ts';
import type { Studio } from '../studio.ts';

/** One entry of a menu. */
export interface MenuEntry {
  id: string;
  label: string;
  keys?: string | undefined;
  disabled: boolean;
  /** Why it is disabled, where that is not plain to see. */
  reason?: string | undefined;
  run(): void;
}

/** A menu inside a menu, for what is needed less often or has a key that editors know. */
export interface SubMenu {
  id: string;
  label: string;
  groups: readonly (readonly MenuEntry[])[];
}

/** A menu's entries in groups. */
export type MenuGroups = readonly (readonly (MenuEntry | SubMenu)[])[];

/** A command as a menu entry, enabled as the state is now. */
export function commandEntry(command: Command, studio: Studio): MenuEntry {
  return {
    id: command.id,
    label: command.label,
    keys: command.keys[0],
    disabled: !command.enabled(studio.store.state),
    reason: command.reason?.(studio.store.state) ?? undefined,
    run: () => command.run(studio),
  };
}

/**
 * Opens a menu and gives it the focus; Escape, a click elsewhere or a choice closes it and the focus goes back.
 * @param groups$ the entries as they are now, and as they become while the menu is open
 * @param at a point of the page, or the element that the menu hangs under
 * @param host an element inside the page's theme, which the menu is put into while it is open
 */
export async function openMenu(
  groups$: Observable<MenuGroups>,
  label: string,
  at: { x: number; y: number } | HTMLElement,
  host: HTMLElement | ShadowRoot,
): Promise<void> {
  const before = deepActiveElement();
  const popover = document.createElement('sp-popover');
  popover.className = 'menu';
  const trigger = at instanceof HTMLElement ? at : new VirtualTrigger(at.x, at.y);
  let overlay: Overlay | null = null;
  let shown = false;
  let closed = false;
  let groups: MenuGroups = [];
  /** Takes the menu out of the page at once: what fades takes with it whatever is opened over it meanwhile. */
  const close = () => {
    if (closed) return;
    closed = true;
    window.removeEventListener('keydown', key, { capture: true });
    entries.unsubscribe();
    const inMenu = overlay?.contains(deepActiveElement()) ?? false;
    overlay?.remove();
    // What closed it may have moved the focus itself.
    if (inMenu || deepActiveElement() === document.body) before?.focus();
  };
  const choose = (event: Event) => {
    const { value } = event.target as HTMLElement & { value: string };
    const entry = entriesOf(groups).find((candidate) => candidate.id === value);
    close();
    if (entry && !entry.disabled) entry.run();
  };
  const mac = isMac();
  const draw = (): void => void render(menuOf(groups, label, choose, mac), popover);
  const entries = groups$.subscribe((now) => {
    groups = now;
    draw();
  });
  // The menu is on screen a moment before it has the focus; keys pressed in that moment are meant for it too. Once it
  // is dismissed, keys are for what the editor turns to next, however long it takes to fade.
  const key = (event: KeyboardEvent) => {
    if (shown && !overlay?.open) return;
    const leaving = event.key === 'Escape' || event.key === 'Tab';
    if (!leaving && popover.contains(deepActiveElement())) {
      // The choice gives the focus back while the key is down: what it does by itself would press the button again.
      if (event.key === 'Enter') event.preventDefault();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (leaving) close();
    else popover.querySelector('sp-menu')?.focus();
  };
  window.addEventListener('keydown', key, { capture: true });
  // Spectrum loses the focus with a menu inside that is closed by key: it goes back to the entry that the menu belongs to.
  popover.addEventListener('sp-menu-submenu-closed', (event) => {
    const item = event
      .composedPath()
      .find((node) => node instanceof HTMLElement && node.matches('sp-menu-item'));
    if (!closed && deepActiveElement() === document.body) (item as HTMLElement | undefined)?.focus();
  });
  overlay = await Overlay.open(popover, {
    trigger,
    placement: at instanceof HTMLElement ? 'bottom-end' : 'right-start',
    offset: 0,
    type: 'auto',
    notImmediatelyClosable: true,
  });
  const opened = overlay;
  if (closed) return;
  // The overlay opens itself when its first update is complete, just before this.
  void opened.updateComplete.then(() => (shown = true));
  // It may have been dismissed before it was open.
  const focusMenu = () => opened.open && popover.querySelector('sp-menu')?.focus();
  opened.addEventListener('sp-opened', focusMenu, { once: true });
  opened.addEventListener('sp-closed', close, { once: true });
  host.append(opened);
}

/** Narrowest window in which a menu inside opens beside its entry; in narrower ones it takes the menu's place. */
const ROOM_BESIDE = 560;

/** @param slot where a menu inside another goes */
function menuOf(
  groups: MenuGroups,
  label: string,
  choose: (event: Event) => void,
  mac: boolean,
  slot?: 'submenu',
): TemplateResult {
  return html`<sp-menu
    label=${label}
    slot=${ifDefined(slot)}
    .mobileView=${!slot && innerWidth < ROOM_BESIDE}
    @change=${choose}
  >
    ${groups.map(
      (group, i) => html`
        ${i > 0 ? html`<sp-menu-divider size="s"></sp-menu-divider>` : nothing}
        ${group.map((entry) =>
          'groups' in entry
            ? html`<sp-menu-item value=${entry.id}>
                ${entry.label} ${menuOf(entry.groups, entry.label, choose, mac, 'submenu')}
              </sp-menu-item>`
            : html`<sp-menu-item value=${entry.id} ?disabled=${entry.disabled}>
                ${entry.label}
                ${entry.reason ? html`<span slot="description">${entry.reason}</span>` : nothing}
                ${entry.keys ? html`<kbd slot="value">${keysLabel(entry.keys, mac)}</kbd>` : nothing}
              </sp-menu-item>`,
        )}
      `,
    )}
  </sp-menu>`;
}

/** The entries that do something, those of menus inside included. */
function entriesOf(groups: MenuGroups): MenuEntry[] {
  return groups.flat().flatMap((entry) => ('groups' in entry ? entry.groups.flat() : [entry]));
}

function deepActiveElement(): HTMLElement | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active as HTMLElement | null;
}
