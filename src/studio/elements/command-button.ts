import { html, nothing } from 'lit';
import { ifDefined } from 'lit/directives/if-defined.js';
import type { Command } from '../commands/command.ts';
import { isMac, keysLabel } from '../commands/keys.ts';
import type { Studio } from '../studio.ts';

interface Look {
  /** Replaces the command's label where it changes with the state ("Pause"). */
  label?: string;
  /** Shows the label beside the icon. */
  text?: boolean;
  /** For a command that switches something: whether it is on. */
  on?: boolean;
  placement?: 'top' | 'bottom';
}

/** A quiet button for a command, disabled when it is not possible, with its name and key as a tooltip. */
export function commandButton(studio: Studio, command: Command, icon: unknown, look: Look = {}) {
  const label = look.label ?? command.label;
  const keys = command.keys[0] ? keysLabel(command.keys[0], isMac()) : '';
  const toggle = look.on !== undefined;
  return html`<sp-action-button
    quiet
    data-command=${command.id}
    label=${ifDefined(look.text ? undefined : label)}
    ?toggles=${toggle}
    ?selected=${look.on ?? false}
    ?emphasized=${toggle}
    ?disabled=${!command.enabled(studio.store.state)}
    @click=${() => command.run(studio)}
  >
    ${icon}${look.text ? html`<span class="words">${label}</span>` : nothing}
    <sp-tooltip self-managed placement=${look.placement ?? 'top'}
      >${label}${keys ? ` (${keys})` : ''}</sp-tooltip
    >
  </sp-action-button>`;
}
